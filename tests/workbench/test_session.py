"""Signing in: passwords, authenticators, refreshing, and the end of access."""

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deskbell.client import ApiResponse
from functions.core.domain.errors import InvalidInput, Unauthorised
from functions.core.domain.rules import Playbook
from functions.core.storage.database import Storage
from functions.workbench.session import (
    ChallengeAnswer,
    Credentials,
    Enrolment,
    Sessions,
)
from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA
from infra.simulator.simulator import Simulator
from tests.core.sample_desk import NOON
from tests.portal.deployment import DEPLOYMENT, PASSWORD, deployed
from tests.workbench.conftest import ROSTER

pytestmark = pytest.mark.requirement("G4")
CREDENTIALS = Credentials(username="agent-1", password="b")
FOUNDATION = load_template(INFRA / "templates" / "foundation.yaml")["Resources"]


@pytest.fixture
def simulator(playbook: Playbook) -> Iterator[Simulator]:
    """A deployment with the roster in its user pool."""
    with deployed(playbook, ROSTER) as running:
        yield running


def _session(simulator: Simulator, username: str, password: str = PASSWORD) -> ApiResponse:
    return simulator.http("POST", "/session", {"username": username, "password": password})


def _deactivate(username: str) -> None:
    storage = Storage.on(boto3.client("dynamodb"), DEPLOYMENT.table)
    storage.roster.set_active("testdesk", username, False)


# Passwords


def test_signing_in_gives_a_token(simulator: Simulator) -> None:
    answer = _session(simulator, "supervisor-1")
    assert answer.status == 200
    assert answer.json["token"].count(".") == 2
    assert answer.json["refresh_token"]
    assert answer.json["agent"] == {
        "username": "supervisor-1",
        "desks": {"testdesk": {"role": "supervisor", "team": "leads"}},
    }
    expires = datetime.fromisoformat(answer.json["expires_at"])
    assert timedelta() < expires - datetime.now(expires.tzinfo) < timedelta(days=1)


def test_a_wrong_name_and_a_wrong_password_have_the_same_response(simulator: Simulator) -> None:
    wrong = _session(simulator, "agent-1", "wrong")
    assert (wrong.status, wrong.headers["content-type"]) == (401, "application/problem+json")
    assert _session(simulator, "nobody").text == wrong.text


def test_a_first_password_has_to_be_changed(simulator: Simulator) -> None:
    answer = _session(simulator, "new-1")
    assert (answer.status, "new password" in answer.json["detail"]) == (409, True)


def test_missing_credentials_are_named(simulator: Simulator) -> None:
    answer = simulator.http("POST", "/session", {"username": "a", "pass": "b"})
    assert answer.status == 400
    assert {error["field"] for error in answer.json["errors"]} == {"password", "pass"}


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b"7", b'{"session": "x"}'])
def test_a_body_that_fits_neither_step_is_400(simulator: Simulator, body: bytes) -> None:
    assert simulator.http("POST", "/session", body.decode()).status == 400


class Cognito:
    """Answers every call with one error."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __getattr__(self, name: str) -> Any:
        def refuse(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": self.code, "Message": "secret"}}, name)

        return refuse


def _sessions(storage: Storage, cognito: object) -> Sessions:
    return Sessions(cognito, "c", storage)  # type: ignore[arg-type]  # a stub


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 429),
        ("LimitExceededException", 429),
        ("UserNotConfirmedException", 401),
    ],
)
def test_a_refusal_by_cognito_has_its_status(storage: Storage, code: str, status: int) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the status tells
        _sessions(storage, Cognito(code)).sign_in(CREDENTIALS, NOON)
    assert getattr(refused.value, "status", None) == status


@pytest.mark.parametrize(
    "code",
    ["NotAuthorizedException", "PasswordResetRequiredException", "UserNotConfirmedException"],
)
def test_the_state_of_an_account_does_not_show(storage: Storage, code: str) -> None:
    """Only who knows the password may learn that the account exists."""
    answers = set()
    for each in (code, "UserNotFoundException"):
        with pytest.raises(Exception) as refused:  # noqa: PT011 - the text is compared
            _sessions(storage, Cognito(each)).sign_in(CREDENTIALS, NOON)
        answers.add((type(refused.value), str(refused.value)))
    assert len(answers) == 1


def test_a_failure_of_cognito_is_no_wrong_password(storage: Storage) -> None:
    with pytest.raises(ClientError):
        _sessions(storage, Cognito("InternalErrorException")).sign_in(CREDENTIALS, NOON)


# Refreshing


def test_a_session_is_refreshed(simulator: Simulator) -> None:
    opened = _session(simulator, "agent-1").json
    again = simulator.http("POST", "/session/refresh", {"refresh_token": opened["refresh_token"]})
    assert (again.status, set(again.json)) == (200, {"token", "expires_at"})
    assert again.json["token"].count(".") == 2


@pytest.mark.parametrize("code", ["NotAuthorizedException", "InvalidParameterException"])
def test_a_bad_or_expired_refresh_token_is_401(storage: Storage, code: str) -> None:
    """As Cognito answers it; moto knows no expiry."""
    with pytest.raises(Unauthorised, match="Sign in again"):
        _sessions(storage, Cognito(code)).refresh("old", NOON)


def test_who_was_deactivated_neither_signs_in_nor_refreshes(simulator: Simulator) -> None:
    """Even before the user pool knows."""
    opened = _session(simulator, "agent-2").json
    _deactivate("agent-1")
    assert _session(simulator, "agent-1").status == 401
    _deactivate("agent-2")
    simulator.forget_roster()
    body = {"refresh_token": opened["refresh_token"]}
    assert simulator.http("POST", "/session/refresh", body).status == 401


# Authenticators


def _enrol(simulator: Simulator, **more: str) -> ApiResponse:
    body = {"username": "agent-1", "password": PASSWORD, **more}
    return simulator.http("POST", "/session/mfa", body)


def test_with_an_authenticator_a_code_completes_the_sign_in(simulator: Simulator) -> None:
    asked = _enrol(simulator)
    assert asked.status == 200
    assert asked.json["uri"] == (
        f"otpauth://totp/Deskbell:agent-1?secret={asked.json['secret']}&issuer=Deskbell"
    )
    assert _enrol(simulator, code="123456").json == {"enrolled": True}
    first = _session(simulator, "agent-1")
    assert (first.status, set(first.json)) == (200, {"challenge", "session"})
    assert first.json["challenge"] == "SOFTWARE_TOKEN_MFA"
    second = simulator.http(
        "POST", "/session", {"session": first.json["session"], "code": "123456"}
    )
    assert second.status == 200
    assert set(second.json) == {"token", "expires_at", "refresh_token", "agent"}
    assert second.json["agent"]["username"] == "agent-1"
    assert _enrol(simulator).status == 409, "a stolen password does not replace an authenticator"


def test_an_authenticator_needs_the_password(simulator: Simulator) -> None:
    assert _enrol(simulator, password="wrong").status == 401


class AskingForCode:
    """Asks for a code and accepts only `111111`; records what it is asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def initiate_auth(self, **_: Any) -> Any:
        return {"AuthenticationResult": {"AccessToken": "a"}}

    def verify_software_token(self, **arguments: Any) -> Any:
        self._check(arguments["UserCode"], "EnableSoftwareTokenMFAException")

    def respond_to_auth_challenge(self, **arguments: Any) -> Any:
        self.asked.append(arguments)
        self._check(
            arguments["ChallengeResponses"]["SOFTWARE_TOKEN_MFA_CODE"], "CodeMismatchException"
        )

    def _check(self, code: str, error: str) -> None:
        if code != "111111":
            raise ClientError({"Error": {"Code": error, "Message": ""}}, "Check")


def test_a_wrong_code_is_401_and_goes_with_the_username(storage: Storage) -> None:
    cognito = AskingForCode()
    packed = urlsafe_b64encode(b'["agent-1", "their session"]').decode()
    with pytest.raises(Exception) as refused:  # noqa: PT011 - the status tells
        _sessions(storage, cognito).answer(ChallengeAnswer(session=packed, code="000000"), NOON)
    assert getattr(refused.value, "status", None) == 401
    (asked,) = cognito.asked
    assert asked["Session"] == "their session"
    assert asked["ChallengeResponses"]["USERNAME"] == "agent-1"


@pytest.mark.parametrize("session", ["x", "e30=", "WzEsIDJd", "bnVsbA=="])
def test_an_invented_session_is_401(simulator: Simulator, session: str) -> None:
    answer = simulator.http("POST", "/session", {"session": session, "code": "123456"})
    assert answer.status == 401


def test_a_code_that_does_not_fit_enrols_nothing(storage: Storage) -> None:
    body = Enrolment(username="agent-1", password="b", code="000000")
    with pytest.raises(InvalidInput) as refused:
        _sessions(storage, AskingForCode()).enrol(body)
    assert refused.value.errors[0].field == "code"


# The user pool


def test_tokens_last_an_hour_and_sessions_a_shift() -> None:
    client = FOUNDATION["UserPoolClient"]["Properties"]
    assert client["TokenValidityUnits"] == {
        "IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "hours"
    }  # fmt: skip
    assert (client["IdTokenValidity"], client["AccessTokenValidity"]) == (60, 60)
    assert client["RefreshTokenValidity"] == 12
    assert client["EnableTokenRevocation"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_an_authenticator_is_optional() -> None:
    pool = FOUNDATION["UserPool"]["Properties"]
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
