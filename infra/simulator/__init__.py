"""Every function in one process, for tests and measurements."""
