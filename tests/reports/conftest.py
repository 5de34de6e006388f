"""Fixtures of the core tests: the small desk and the table in memory."""

from tests.core.conftest import aws, client, dynamodb, playbook, storage

__all__ = ["aws", "client", "dynamodb", "playbook", "storage"]
