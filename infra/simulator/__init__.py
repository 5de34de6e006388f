"""Runs every function in one process. May import `functions` and `infra.deploy`."""
