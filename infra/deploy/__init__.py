"""The deployment: foundation, functions, wiring, and what a stage needs besides."""
