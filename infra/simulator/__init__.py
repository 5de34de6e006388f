"""Runs every function in one process, for tests and the bench.

May import `functions` and `infra.deploy`.
"""
