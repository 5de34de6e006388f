"""The Cognito authorizer of the agents' routes.

API Gateway needs the ARN of the user pool when the API is laid down, and at no other time. So the
pool is looked up, by the name that follows from the stage, only while Chalice deploys; in Lambda
and in tests nothing is asked of AWS.
"""

import os

from chalice.app import CognitoUserPoolAuthorizer

STAGE_VARIABLE = "DESKBELL_STAGE"
CLI_VARIABLE = "AWS_CHALICE_CLI_MODE"
NAME = "agents"
_NOWHERE = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_nowhere"


def agents_authorizer() -> CognitoUserPoolAuthorizer:
    """The authorizer for ``bp.route(..., authorizer=…)``: a valid token of the stage's user pool.

    ``chalice`` sets ``AWS_CHALICE_CLI_MODE`` (``chalice.cli``) and, before it loads the app, the
    stage's variables of ``.chalice/config.json``, of which ``DESKBELL_STAGE`` is one. Raises
    ``LookupError`` where the foundation of that stage is missing.
    """
    if os.environ.get(CLI_VARIABLE) and os.environ.get(STAGE_VARIABLE):
        return CognitoUserPoolAuthorizer(NAME, [_pool_arn(os.environ[STAGE_VARIABLE])])
    return CognitoUserPoolAuthorizer(NAME, [_NOWHERE])


def _pool_arn(stage: str) -> str:
    import boto3

    client = boto3.client("cognito-idp")
    name = f"deskbell-{stage}"
    for page in client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60}):
        for pool in page["UserPools"]:
            if pool["Name"] == name:
                arn: str = client.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]["Arn"]
                return arn
    raise LookupError(f"no user pool {name}: deploy the foundation of stage {stage} first")


agents = agents_authorizer()
"""What the blueprint's routes name: one object, made when Chalice loads the app."""
