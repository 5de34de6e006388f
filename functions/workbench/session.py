"""Signing in: a username and a password against the user pool (Cognito, USER_PASSWORD_AUTH)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from functions.core.domain.errors import Refused, TooManyAttempts, Unauthorised
from functions.core.storage.database import Storage
from functions.workbench.rights import ANY_DESK, caller, first_of

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient


class Credentials(BaseModel):
    """The body of `POST /session`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    username: str = Field(min_length=1, max_length=128)
    password: str = Field(min_length=1, max_length=256)


class FirstSignIn(Refused):
    """The user pool wants something else before it lets this agent in."""

    status = 409
    title = "The account is not ready"


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
    cognito: CognitoIdentityProviderClient, client_id: str, storage: Storage, given: Credentials
) -> dict[str, Any]:
    """`{token, expires_at, agent {username, desks {desk: {role, team}}}}`.

    Raises:
        Unauthorised: username or password is wrong; nothing tells which.
        TooManyAttempts: Cognito throttles.
        FirstSignIn: the password has to be changed first.
    """
    from botocore.exceptions import ClientError

    try:
        answer = cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=client_id,
            AuthParameters={"USERNAME": given.username, "PASSWORD": given.password},
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _WRONG:
            raise Unauthorised("Username or password is wrong.") from error
        if code in _TOO_MANY:
            raise TooManyAttempts("Too many attempts. Wait a minute and try again.") from error
        if code == "PasswordResetRequiredException":
            raise _first_sign_in() from error
        raise
    if "AuthenticationResult" not in answer:
        raise _first_sign_in()
    token = answer["AuthenticationResult"]["IdToken"]
    claims = _claims(token)
    who = caller(claims)
    return {
        "token": token,
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
        "agent": {
            "username": who.username,
            "desks": {
                desk: {"role": first_of(roles), "team": _team(storage, desk, who.username)}
                for desk, roles in sorted(who.roles.items())
            },
        },
    }


def _first_sign_in() -> FirstSignIn:
    return FirstSignIn(
        "This account needs a new password before it can be used. Ask an administrator to set one."
    )


def _team(storage: Storage, desk: str, username: str) -> str | None:
    agent = storage.roster.get(desk, username) if desk != ANY_DESK else None
    return agent.team if agent else None


def _claims(token: str) -> dict[str, Any]:
    """What a token says. It comes straight from Cognito, so its signature need not be checked."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
