"""The stores of a stage's records, for holds and erasures."""

import boto3

from functions.administration.retention import Archive, archive_of
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of


def records_of(stage: str) -> Archive:
    """Return the stores of a stage."""
    return archive_of(deployment_of(stage), storage_of(stage), boto3.client("s3"))
