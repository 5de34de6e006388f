"""The small desk and the table in memory of the tests of core."""

from tests.core.conftest import aws, client, dynamodb, playbook, storage

__all__ = ["aws", "client", "dynamodb", "playbook", "storage"]
