"""The whole loop in one process: every function, with AWS in memory."""
