"""The Cognito authorizer of the agents' routes.

API Gateway needs the ARN of the user pool only when the API is created. So the pool is looked up
only while Chalice deploys, by the name that derives from the stage; in Lambda and in tests no AWS
call is made.
"""

import os

from chalice.app import CognitoUserPoolAuthorizer

STAGE_VARIABLE = "DESKBELL_STAGE"
CLI_VARIABLE = "AWS_CHALICE_CLI_MODE"
NAME = "agents"
_NOWHERE = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_nowhere"


def agents_authorizer() -> CognitoUserPoolAuthorizer:
    """Return the authorizer that requires a valid token of the stage's user pool.

    The Chalice CLI sets `AWS_CHALICE_CLI_MODE` and, before it loads the app, the stage's variables
    of `.chalice/config.json`, `DESKBELL_STAGE` among them.

    Raises:
        LookupError: the foundation of that stage is missing.
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
