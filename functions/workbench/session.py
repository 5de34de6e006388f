"""Sign agents in and keep them signed in (Cognito, USER_PASSWORD_AUTH and REFRESH_TOKEN_AUTH).

A wrong name and a wrong password have one answer, whatever the state of the account. Cognito locks
an account for a growing time after five wrong passwords and says so in the same way.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from functions.core.domain.errors import (
    ActionNotAllowed,
    FieldError,
    InvalidInput,
    Phrase,
    Refused,
    TooManyAttempts,
    Unauthorised,
)
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.rights import caller, highest_role
from functions.core.storage.database import Storage
from functions.core.text.shapes import local_time

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

    from functions.workbench.shapes import (
        Challenge,
        DeskRole,
        Enrolled,
        NewAuthenticator,
        Session,
        Token,
    )

MFA: Final = "SOFTWARE_TOKEN_MFA"
"""The challenge that asks for a code of the authenticator."""

NEW_PASSWORD: Final = "NEW_PASSWORD_REQUIRED"  # noqa: S105 - a name
"""The challenge that asks for a password of one's own."""

_RULES: Final = "12 characters or more, with a capital letter, a small letter and a digit"
"""The rules of the user pool (`infra/templates/foundation.yaml`)."""

_CODE = r"^[0-9]{6}$"


class Credentials(BaseModel):
    """The body of `POST /session`: the first step."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    username: str = Field(min_length=1, max_length=128)
    password: str = Field(min_length=1, max_length=256)


class ChallengeAnswer(BaseModel):
    """The body of `POST /session`: the second step, with a code of the authenticator."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    session: str = Field(min_length=1, max_length=4096)
    code: str = Field(pattern=_CODE)


class FirstPassword(BaseModel):
    """A password of one's own in place of the temporary one (the pages' sign-in)."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    session: str = Field(min_length=1, max_length=4096)
    password: str = Field(min_length=1, max_length=256)


class RefreshToken(BaseModel):
    """The body of `POST /session/refresh`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    refresh_token: str = Field(min_length=1, max_length=8192)


class Enrolment(Credentials):
    """The body of `POST /session/mfa`; without `code` it asks for a secret."""

    code: str | None = Field(default=None, pattern=_CODE)


class NewPasswordRequired(Refused, status=409, title="The account is not ready"):
    """The user pool requires a new password first; `session` lets its holder choose one."""

    session: str = ""


_WRONG = frozenset(
    {
        "CodeMismatchException",
        "ExpiredCodeException",
        "InvalidParameterException",
        "InvalidPasswordException",
        "NotAuthorizedException",
        # Whether the password was right is not known yet: saying more would confirm the name.
        "PasswordResetRequiredException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)
_TOO_MANY = frozenset(
    {"TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"}
)
_WEAK = frozenset({"InvalidPasswordException", "InvalidParameterException"})
_WRONG_CODE = frozenset({"CodeMismatchException", "EnableSoftwareTokenMFAException"})

_WRONG_PASSWORD = Phrase("Username or password is wrong.")
_SIGN_IN_AGAIN = Phrase("The session has ended. Sign in again.")


@dataclass(frozen=True)
class Sessions:
    cognito: CognitoIdentityProviderClient
    client_id: str
    storage: Storage

    def sign_in(self, credentials: Credentials, now: datetime) -> Session | Challenge:
        """Sign in; return the session, or a question for the authenticator's code.

        Raises:
            Unauthorised: username or password is wrong; the error does not say which.
            TooManyAttempts: Cognito throttles.
            NewPasswordRequired: the password has to be changed first.
        """
        return self._next(credentials.username, self._check_password(credentials), now)

    def choose_password(self, answer: FirstPassword, now: datetime) -> Session | Challenge:
        """Complete a first sign-in with a password of one's own.

        Raises:
            InvalidInput: the password does not keep the pool's rules.
            Unauthorised: it took too long.
            TooManyAttempts: Cognito throttles.
        """
        from botocore.exceptions import ClientError

        username, session = _unpack(answer.session)
        try:
            response = _ask(
                _SIGN_IN_AGAIN,
                self.cognito.respond_to_auth_challenge,
                ClientId=self.client_id,
                ChallengeName=NEW_PASSWORD,
                Session=session,
                ChallengeResponses={"USERNAME": username, "NEW_PASSWORD": answer.password},
            )
        except Unauthorised as refused:
            cause = refused.__cause__
            if not isinstance(cause, ClientError):
                raise
            if cause.response["Error"]["Code"] not in _WEAK:
                raise
            raise InvalidInput(
                "The password does not keep the rules.", (FieldError("password", _RULES),)
            ) from cause
        return self._next(username, response, now)

    def _next(
        self, username: str, response: Mapping[str, Any], now: datetime
    ) -> Session | Challenge:
        """Return the session, or a question for the authenticator's code."""
        if response.get("ChallengeName") == MFA:
            return {"challenge": MFA, "session": _pack(username, response["Session"])}
        return self._opened(_result(response, username), now)

    def answer(self, answer: ChallengeAnswer, now: datetime) -> Session:
        """Complete a sign-in with a code of the authenticator; return the session.

        Raises:
            Unauthorised: the code is wrong or late.
            TooManyAttempts: Cognito throttles.
        """
        username, session = _unpack(answer.session)
        response = _ask(
            Phrase("The code is wrong or too late."),
            self.cognito.respond_to_auth_challenge,
            ClientId=self.client_id,
            ChallengeName=MFA,
            Session=session,
            ChallengeResponses={"USERNAME": username, "SOFTWARE_TOKEN_MFA_CODE": answer.code},
        )
        return self._opened(_result(response), now)

    def refresh(self, refresh_token: str, now: datetime) -> Token:
        """Return a new token.

        Raises:
            Unauthorised: the refresh token is invalid, expired or revoked, or the person has left.
            TooManyAttempts: Cognito throttles.
        """
        opened = self._opened(self._refreshed(refresh_token), now)
        return {"token": opened["token"], "expires_at": opened["expires_at"]}

    def _refreshed(self, refresh_token: str) -> Mapping[str, Any]:
        return _result(
            _ask(
                _SIGN_IN_AGAIN,
                self.cognito.initiate_auth,
                AuthFlow="REFRESH_TOKEN_AUTH",
                ClientId=self.client_id,
                AuthParameters={"REFRESH_TOKEN": refresh_token},
            )
        )

    def enrol(self, body: Enrolment) -> NewAuthenticator | Enrolled:
        """Set up an authenticator: return its secret, or with a code whether that was right.

        Raises:
            Unauthorised, TooManyAttempts, NewPasswordRequired: as `sign_in`.
            ActionNotAllowed: the account has an authenticator; an administrator can remove it.
            InvalidInput: the code is wrong, or no secret was asked for.
        """
        response = self._check_password(body)
        if response.get("ChallengeName") == MFA:
            raise ActionNotAllowed(
                "This account has an authenticator already. An administrator can remove it."
            )
        access = _result(response)["AccessToken"]
        if body.code is None:
            secret = self.cognito.associate_software_token(AccessToken=access)["SecretCode"]
            return {"secret": secret, "uri": _authenticator_uri(body.username, secret)}
        return self._enrolled(access, body.code)

    def confirm_authenticator(self, refresh_token: str, code: str) -> Enrolled:
        """Set up the authenticator whose secret was shown in a session.

        Raises:
            InvalidInput: the code is wrong.
            Unauthorised, TooManyAttempts: as `refresh`.
        """
        if not re.fullmatch(_CODE, code):
            raise _wrong_code()
        return self._enrolled(self._refreshed(refresh_token)["AccessToken"], code)

    def _enrolled(self, access: str, code: str) -> Enrolled:
        self._verify(access, code)
        self.cognito.set_user_mfa_preference(
            AccessToken=access, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )
        return {"enrolled": True}

    def _check_password(self, credentials: Credentials) -> Mapping[str, Any]:
        return _ask(
            _WRONG_PASSWORD,
            self.cognito.initiate_auth,
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=self.client_id,
            AuthParameters={"USERNAME": credentials.username, "PASSWORD": credentials.password},
        )

    def _verify(self, access: str, code: str) -> None:
        from botocore.exceptions import ClientError

        try:
            self.cognito.verify_software_token(AccessToken=access, UserCode=code)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _WRONG_CODE:
                raise
            raise _wrong_code() from error

    def _opened(self, result: Mapping[str, Any], now: datetime) -> Session:
        """The session of an authentication result, with the desks at which the person is active."""
        token = result["IdToken"]
        claims = claims_of(token)
        desks = self.desks(claims, now)
        if not desks:
            raise Unauthorised("This account is not on the roster of any desk.")
        return {
            "token": token,
            "expires_at": local_time(datetime.fromtimestamp(claims["exp"], UTC), UTC),
            "refresh_token": result.get("RefreshToken"),
            "agent": {"username": caller(claims).username, "desks": desks},
        }

    def desks(self, claims: Mapping[str, object], now: datetime) -> dict[str, DeskRole]:
        """Return the desks at which a person is active, by name."""
        person = caller(claims)
        entries = {
            desk: self.storage.roster.current(desk, person.username, now) for desk in person.desks
        }
        return {
            desk: {
                "role": highest_role(entry.roles),
                "team": entry.team if entry.assignable else None,
            }
            for desk, entry in sorted(entries.items())
            if entry is not None and entry.active
        }


def _wrong_code() -> InvalidInput:
    return InvalidInput(
        "The code does not fit the secret.",
        (FieldError("code", "the six digits that the authenticator shows now"),),
    )


def is_answer(body: bytes) -> bool:
    """Return whether the body of `POST /session` answers a challenge."""
    try:
        document = json.loads(body)
    except ValueError:
        return False
    return isinstance(document, dict) and "session" in document


def _ask(wrong: Phrase, call: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
    """Call Cognito; `wrong` is the answer to whatever it does not accept."""
    from botocore.exceptions import ClientError

    try:
        response: Mapping[str, Any] = call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _WRONG:
            raise Unauthorised(wrong) from error
        if code in _TOO_MANY:
            raise TooManyAttempts("Too many attempts. Wait a minute and try again.") from error
        raise
    return response


def _result(response: Mapping[str, Any], username: str = "") -> Mapping[str, Any]:
    if "AuthenticationResult" not in response:
        required = NewPasswordRequired(
            "This account needs a new password before it can be used. "
            "Ask an administrator to set one."
        )
        if username and response.get("ChallengeName") == NEW_PASSWORD:
            required.session = _pack(username, response["Session"])
        raise required
    result: Mapping[str, Any] = response["AuthenticationResult"]
    return result


def _pack(username: str, session: str) -> str:
    """The `session` for the client: Cognito wants the username again with the code."""
    return urlsafe_b64encode(json.dumps([username, session]).encode()).decode("ascii")


def _unpack(packed: str) -> tuple[str, str]:
    try:
        username, session = json.loads(urlsafe_b64decode(packed))
    except (ValueError, TypeError) as error:
        raise Unauthorised(_SIGN_IN_AGAIN) from error
    if not (isinstance(username, str) and isinstance(session, str) and username and session):
        raise Unauthorised(_SIGN_IN_AGAIN)
    return username, session


def _authenticator_uri(username: str, secret: str) -> str:
    """The address in the QR code that authenticator apps read."""
    from urllib.parse import quote

    return f"otpauth://totp/Deskbell:{quote(username)}?secret={secret}&issuer=Deskbell"


def claims_of(token: str) -> dict[str, Any]:
    """Decode the claims of a token. It comes from Cognito, so its signature is not checked."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


# The calls


def sign_in(request: Request, storage: Storage) -> HttpResponse:
    """Sign in, or answer the challenge that the first step returned."""
    sessions = sessions_of(request, storage)
    if is_answer(request.body):
        return HttpResponse(sessions.answer(request.read(ChallengeAnswer), request.now))
    return HttpResponse(sessions.sign_in(request.read(Credentials), request.now))


def refresh(request: Request, storage: Storage) -> HttpResponse:
    token = request.read(RefreshToken).refresh_token
    return HttpResponse(sessions_of(request, storage).refresh(token, request.now))


def enrol(request: Request, storage: Storage) -> HttpResponse:
    return HttpResponse(sessions_of(request, storage).enrol(request.read(Enrolment)))


def sessions_of(request: Request, storage: Storage) -> Sessions:
    client_id = aws.settings(request.deployment)["user_pool_client_id"]
    return Sessions(aws.client("cognito-idp"), client_id, storage)
