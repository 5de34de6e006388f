"""Measure the time of pages against a bare Chalice "hello", both on the local system.

The hello is a function of its own there. It writes a line to its log as ours do, because the
emulator waits for the first one.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from infra.bench.running_system import LocalSystemError, aws_client, call

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

DESK = "standard"
HELLO = "bench-hello"
RUNS, WARM_UPS = 40, 5
WAITING = 50
QUEUE_RATIO, TICKET_RATIO = 3.0, 4.0
WAIT_SECONDS = 120.0
_HELLO = """
from chalice import Chalice
app = Chalice(app_name="hello")
@app.route("/hello")
def hello():
    print("hello")
    return {"hello": "world"}
"""
_RUNTIME = ("__init__.py", "app.py", "compat.py", "constants.py")
"""The files of Chalice's library that Chalice packs for Lambda, if they are there."""


@dataclass(frozen=True)
class PageTimes:
    """Median milliseconds."""

    hello: float
    queue: float
    ticket: float
    rows: int


def measure(described: Mapping[str, Any]) -> PageTimes:
    """Measure alternately, so that other load on the machine meets all alike."""
    agent = _person(described, "agent")
    cookie = _sign_in(described["api"], agent)
    number = _fill(described, agent)
    client: LambdaClient = aws_client(described, "lambda")
    function = f"deskbell-{described['stage']}"

    def page(path: str, query: Mapping[str, str] | None = None) -> Callable[[], str]:
        event = _event("/workbench/{path+}", path, cookie, query)
        return lambda: _invoke(client, function, event)

    with _hello(client, function):
        hello = _event("/hello", "", "")
        asks = {
            "hello": lambda: _invoke(client, HELLO, hello),
            "queue": page(DESK, {"queue": "mine"}),
            "ticket": page(f"{DESK}/tickets/{number}"),
        }
        took: dict[str, list[float]] = {name: [] for name in asks}
        for run in range(WARM_UPS + RUNS):
            for name, ask in asks.items():
                began = time.perf_counter()
                ask()
                if run >= WARM_UPS:
                    took[name].append((time.perf_counter() - began) * 1000)
        rows = asks["queue"]().count("data-ticket=")
    middle = {name: median(each) for name, each in took.items()}
    return PageTimes(middle["hello"], middle["queue"], middle["ticket"], rows)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _sign_in(api: str, agent: Mapping[str, str]) -> str:
    """Sign in by the form; return the session's cookie."""
    fields = {"username": agent["username"], "password": agent["password"]}
    request = Request(f"{api}/workbench", urlencode(fields).encode())  # noqa: S310 - this machine
    try:
        build_opener(_NoRedirect).open(request, timeout=60)
    except HTTPError as answer:
        with answer:
            found = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        for name, morsel in found.items():
            return f"{name}={morsel.value}"
    raise LocalSystemError("the sign-in page sets no cookie")


def _fill(described: Mapping[str, Any], agent: Mapping[str, str]) -> str:
    """Let the agent have a page of tickets; return one's number."""
    api, tickets = described["api"], f"{described['api']}/agent/desks/{DESK}/tickets"
    mine = f"{tickets}?queue=mine"
    own, supervisor = _headers(api, agent), _headers(api, _person(described, "supervisor"))
    for serial in range(WAITING - len(call(mine, headers=own)["tickets"])):
        body = {
            "contact": f"pages-{time.time_ns()}-{serial}@example.com",
            "description": "无法登录，一直提示密码错误，请帮忙处理",
        }
        number = call(f"{api}/desks/{DESK}/tickets", body)["number"]
        if _routed(f"{tickets}/{number}", supervisor) != agent["username"]:
            assigned = {"agent": agent["username"], "insist": True}
            call(f"{tickets}/{number}/assign", assigned, supervisor)
    return str(call(mine, headers=own)["tickets"][0]["number"])


def _person(described: Mapping[str, Any], role: str) -> Mapping[str, str]:
    people: list[Mapping[str, str]] = described["agents"]
    return next(each for each in people if (each["desk"], each["role"]) == (DESK, role))


def _headers(api: str, person: Mapping[str, str]) -> dict[str, str]:
    """Sign in by the API."""
    fields = {"username": person["username"], "password": person["password"]}
    return {"Authorization": f"Bearer {call(f'{api}/session', fields)['token']}"}


def _routed(url: str, headers: Mapping[str, str]) -> str | None:
    """Wait until a ticket is routed; return who handles it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (ticket := call(url, headers=headers))["status"] == "received":
        if time.monotonic() > deadline:
            raise LocalSystemError(f"{url} was not routed within {WAIT_SECONDS:.0f} s")
        time.sleep(0.05)
    handler: str | None = ticket["handler"]
    return handler


@contextmanager
def _hello(client: LambdaClient, like: str) -> Iterator[None]:
    """Have a bare Chalice function in the emulator, with the memory of ours."""
    import chalice

    package = io.BytesIO()
    library = Path(chalice.__file__).parent
    with zipfile.ZipFile(package, "w") as archive:
        for name in _RUNTIME:
            if (library / name).exists():
                archive.write(library / name, f"chalice/{name}")
        archive.writestr("app.py", _HELLO)
    ours = client.get_function_configuration(FunctionName=like)
    client.create_function(
        FunctionName=HELLO,
        Runtime="python3.11",
        Role=ours["Role"],
        Handler="app.app",
        Code={"ZipFile": package.getvalue()},
        MemorySize=ours["MemorySize"],
        Timeout=30,
    )
    try:
        yield
    finally:
        client.delete_function(FunctionName=HELLO)


def _event(
    resource: str, path: str, cookie: str, query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    return {
        "resource": resource,
        "path": resource.replace("{path+}", path),
        "httpMethod": "GET",
        "headers": {"accept": "text/html", "cookie": cookie},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": {name: [text] for name, text in (query or {}).items()},
        "pathParameters": {"path": path} if path else None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": "GET",
            "identity": {"sourceIp": "127.0.0.1"},
            "authorizer": {},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def _invoke(client: LambdaClient, function: str, event: Mapping[str, Any]) -> str:
    answer = json.loads(
        client.invoke(FunctionName=function, Payload=json.dumps(event))["Payload"].read()
    )
    if answer.get("statusCode") != 200:
        raise LocalSystemError(f"{function}: {answer}")
    return str(answer["body"])
