"""What runs the functions: AWS clients, HTTP, the table's stream, dead letters, settings, logging,
the clock, and the wiring of dependencies.
"""
