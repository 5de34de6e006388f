"""A local provider that records every call and sends the responses that a test sets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from tests.core.channels.provider_requests import sent_body


@dataclass
class RecordingProvider:
    """Address, recorded calls (path, headers, JSON) and next responses (status, body).

    `files` are the responses (status, media type, body) by a part of the path, the first that fits,
    and under "" the response to any other GET; `fetched` the paths of GET with their Authorization.
    A response of the status `NO_ANSWER` never comes: the connection breaks, or for a file stays
    silent until `gone_on`.
    """

    url: str = ""
    calls: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    default_response: bytes = b"{}"
    files: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    fetched: list[tuple[str, str]] = field(default_factory=list)
    gone_on: Event = field(default_factory=Event)

    def to(self, part: str) -> list[Any]:
        """Return the JSON of the calls whose path contains `part`."""
        return [body for path, _, body in self.calls if part in path]

    def file(self, path: str) -> tuple[int, str, bytes] | None:
        return next((file for part, file in self.files.items() if part and part in path), None)


_TOKEN = {
    "access_token": "a token", "expires_in": 7200,
    "tenant_access_token": "a token", "expire": 7200,
    "accessToken": "a token", "expireIn": 7200,
}  # fmt: skip
TOKEN = json.dumps({**_TOKEN, "data": _TOKEN}).encode()

NO_ANSWER = 0
"""The status of a response that never comes."""


def asks_for_token(path: str) -> bool:
    """Return whether a call asks for an access token."""
    return "token" in path.partition("?")[0].lower()


@contextmanager
def recording_provider(default_response: bytes) -> Iterator[RecordingProvider]:
    """Run a provider that sends `default_response` unless a test sets another."""
    found = RecordingProvider(default_response=default_response)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.calls.append((self.path, headers, sent_body(raw)))
            if asks_for_token(self.path):
                status, body = 200, TOKEN
            elif file := found.file(self.path):
                status, _, body = file
            else:
                status, body = (
                    found.answers.pop(0) if found.answers else (200, found.default_response)
                )
            if status == NO_ANSWER:
                return  # which breaks the connection
            self._answer(status, "application/json", body)

        def do_GET(self) -> None:
            found.fetched.append((self.path, self.headers.get("Authorization", "")))
            other = found.files.get("", (404, "text/plain", b"?"))
            self._answer(*(found.file(self.path) or other))

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            if status == NO_ANSWER:
                found.gone_on.wait(10)
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
            """The tests look at `calls`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.gone_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
