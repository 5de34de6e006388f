"""Sign an agent in by username and password (Cognito, USER_PASSWORD_AUTH)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from functions.core.domain.errors import Refused, TooManyAttempts, Unauthorised
from functions.core.storage.database import Storage
from functions.workbench.rights import ANY_DESK, caller, highest_role

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class Credentials(BaseModel):
    """The body of `POST /session`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    username: str = Field(min_length=1, max_length=128)
    password: str = Field(min_length=1, max_length=256)


class NewPasswordRequired(Refused, status=409, title="The account is not ready"):
    """The user pool requires a new password first."""


_WRONG = frozenset(
    {
        "NotAuthorizedException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "InvalidParameterException",
        "InvalidPasswordException",
    }
)
_TOO_MANY = frozenset(
    {"TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"}
)


def sign_in(
    cognito: CognitoIdentityProviderClient,
    client_id: str,
    storage: Storage,
    credentials: Credentials,
) -> dict[str, Any]:
    """Sign in; return `{token, expires_at, agent {username, desks {desk: {role, team}}}}`.

    Raises:
        Unauthorised: username or password is wrong; the error does not say which.
        TooManyAttempts: Cognito throttles.
        NewPasswordRequired: the password has to be changed first.
    """
    from botocore.exceptions import ClientError

    try:
        response = cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": credentials.username, "PASSWORD": credentials.password},
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _WRONG:
            raise Unauthorised("Username or password is wrong.") from error
        if code in _TOO_MANY:
            raise TooManyAttempts("Too many attempts. Wait a minute and try again.") from error
        if code == "PasswordResetRequiredException":
            raise _new_password_required() from error
        raise
    if "AuthenticationResult" not in response:
        raise _new_password_required()
    token = response["AuthenticationResult"]["IdToken"]
    claims = _claims(token)
    agent = caller(claims)
    return {
        "token": token,
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
        "agent": {
            "username": agent.username,
            "desks": {
                desk: {"role": highest_role(roles), "team": _team(storage, desk, agent.username)}
                for desk, roles in sorted(agent.roles.items())
            },
        },
    }


def _new_password_required() -> NewPasswordRequired:
    return NewPasswordRequired(
        "This account needs a new password before it can be used. Ask an administrator to set one."
    )


def _team(storage: Storage, desk: str, username: str) -> str | None:
    agent = storage.roster.get(desk, username) if desk != ANY_DESK else None
    return agent.team if agent else None


def _claims(token: str) -> dict[str, Any]:
    """Decode the claims of a token. It comes from Cognito, so its signature is not checked."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
