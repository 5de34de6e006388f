"""Deskbell's functions: one room a job, and `core`, the language that all rooms speak."""
