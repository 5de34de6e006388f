"""Whole journeys in one process: every function, with AWS in memory."""
