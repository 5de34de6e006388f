"""The quarantine of a stage, with the rights of whoever runs the console."""

from functions.administration.unprocessed import Quarantine
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of

PATIENCE = 300.0
"""Seconds for which a function that gets its record again may run."""


def quarantine_of(stage: str) -> Quarantine:
    return Quarantine(deployment_of(stage), storage_of(stage), PATIENCE)
