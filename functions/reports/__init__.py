"""Completes facts, writes reports and keeps the board, every ten minutes. Imports `core`."""
