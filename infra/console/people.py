"""The people of a stage, as whoever runs the console changes them."""

from datetime import UTC, datetime

import boto3

from functions.administration.people import People
from functions.administration.user_pool import UserPool
from functions.core.domain.roster import Agent
from functions.core.services.rights import ANY_DESK
from infra.deploy.desks import storage_of, versions
from infra.deploy.stage_secrets import settings
from infra.deploy.trail import OperatorTrail


def user_pool(stage: str) -> UserPool:
    return UserPool(boto3.client("cognito-idp"), settings(stage)["user_pool_id"])


def people_of(trail: OperatorTrail) -> People:
    stage = trail.stage
    return People(storage_of(stage), lambda: user_pool(stage), trail, datetime.now(UTC))


def listed(stage: str, desk: str = "") -> list[Agent]:
    storage = storage_of(stage)
    desks = [desk] if desk else [ANY_DESK, *(name for name, _version in versions(stage))]
    return [agent for name in desks for agent in storage.roster.list(name)]
