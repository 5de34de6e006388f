"""The outgoing webhooks of a stage, with the rights of whoever runs the console."""

from functions.administration.endpoints import Webhooks
from infra.deploy.desks import storage_of
from infra.deploy.stacks import deployment_of


def webhooks_of(stage: str) -> Webhooks:
    return Webhooks(deployment_of(stage), storage_of(stage))
