"""The emulator's process: `python -m infra.local.emulator --port 4566 --state .deskbell/aws`.

Its data survives a kill. The emulator itself saves its state only on a clean stop; this process
also journals every acknowledged write, replays the journal at the next start, and saves the state
periodically to keep the journal short.
"""

import argparse
import asyncio
import base64
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from infra.local import workers

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

SAVE_PATH = "/_deskbell/save"
MAILS_PATH = "/_deskbell/mails"
"""Lists the sent mails, oldest first: `[{to: […], raw}]`, the message in base64."""
_SAVE_EVERY_SECONDS = 20.0
_JOURNALED_ACTIONS = frozenset(
    {
        "DynamoDB_20120810.BatchWriteItem",
        "DynamoDB_20120810.DeleteItem",
        "DynamoDB_20120810.PutItem",
        "DynamoDB_20120810.TransactWriteItems",
        "DynamoDB_20120810.UpdateItem",
        "AmazonSQS.SendMessage",
        "AWSStepFunctions.StartExecution",
    }
)


class Journaled:
    """ASGI middleware that journals the writes that the emulator acknowledged."""

    def __init__(self, app: App, journal: Path, save: Callable[[], None]) -> None:
        self._app = app
        self._path = journal
        self._save = save
        self._file = None if not journal.parent.exists() else journal.open("ab", buffering=0)
        self._dirty = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, self._started(send))
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == SAVE_PATH:
            self.save()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        elif scope["path"] == MAILS_PATH:
            kind = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": kind})
            await send({"type": "http.response.body", "body": json.dumps(_mails()).encode()})
        else:
            await self._request(scope, receive, send)

    def save(self) -> None:
        self._save()
        self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._dirty = False

    async def save_periodically(self) -> None:
        """Save every few seconds if the journal has new entries."""
        while True:
            await asyncio.sleep(_SAVE_EVERY_SECONDS)
            if self._dirty:
                self.save()

    def _started(self, send: Send) -> Send:
        async def forward(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._replay()
            await send(message)

        return forward

    async def _replay(self) -> None:
        for line in self._path.read_bytes().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                # A kill cut the last line: this write was never acknowledged.
                continue
            scope = {
                "type": "http",
                "http_version": "1.1",
                "method": "POST",
                "path": entry["path"],
                "raw_path": entry["path"].encode(),
                "query_string": b"",
                "headers": [(name.encode(), value.encode()) for name, value in entry["headers"]],
            }
            await self._app(scope, _body(base64.b64decode(entry["body"])), _nowhere)

    async def _request(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        target = headers.get("x-amz-target", b"").decode("latin-1")
        form = headers.get("content-type", b"").startswith(b"application/x-www-form-urlencoded")
        may_write = target in _JOURNALED_ACTIONS or _is_mail(scope) or (form and not target)
        if scope["method"] != "POST" or not may_write:
            await self._app(scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        is_write = target in _JOURNALED_ACTIONS or _is_mail(scope) or _publishes_to_topic(body)

        async def journal(message: Message) -> None:
            if is_write and message["type"] == "http.response.start" and message["status"] < 300:
                self._write(scope, body)
            await send(message)

        await self._app(scope, _body(body), journal)

    def _write(self, scope: Message, body: bytes) -> None:
        entry = {
            "path": scope["path"],
            "headers": [
                [name.decode("latin-1"), value.decode("latin-1")]
                for name, value in scope["headers"]
                if name.lower() != b"content-length"
            ],
            "body": base64.b64encode(body).decode("ascii"),
        }
        if self._file is not None:
            self._file.write(json.dumps(entry).encode() + b"\n")
        self._dirty = True


def _is_mail(scope: Message) -> bool:
    path: str = scope["path"]
    return path == "/v2/email/outbound-emails"


def _publishes_to_topic(body: bytes) -> bool:
    fields = parse_qs(body.decode("utf-8", "replace"))
    return fields.get("Action") == ["Publish"] and "TopicArn" in fields


def _body(body: bytes) -> Receive:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _nowhere(_message: Message) -> None:
    return


def environment(port: int, state: Path) -> dict[str, str]:
    """The environment variables that the emulator reads on import."""
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "LAMBDA_EXECUTOR": "local",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A socket that does not exist: the emulator must not touch the machine's containers.
        "DOCKER_HOST": f"unix://{state}/no-docker.sock",
        "TMPDIR": str(_scratch(state)),
        # Workers share one package, and with it the bytecode that the first one writes.
        "PYTHONDONTWRITEBYTECODE": "",
        "LOG_LEVEL": "WARNING",
    }


def _scratch(state: Path) -> Path:
    # Inside the data folder, so that leftovers are removed with it.
    return state.parent / "tmp"


def main() -> None:
    """Serve until the parent closes standard input, or until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args()
    state: Path = arguments.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(arguments.port, state))
    workers.prepare(_scratch(state))
    asyncio.run(_serve(arguments.port, state))


async def _serve(port: int, state: Path) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack
    from ministack.core.persistence import save_all

    from infra.local import streams, workflows

    workers.install(_scratch(state))
    streams.install()
    workflows.install()
    _persist_sent_mail()
    _keep_raw_mail()
    application = Journaled(
        ministack.app,
        state / "journal.jsonl",
        lambda: save_all(ministack._build_persistence_save_dict()),
    )
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in _signals():
        loop.add_signal_handler(signal_number, stop.set)
    threading.Thread(
        target=lambda: (sys.stdin.buffer.read(), loop.call_soon_threadsafe(stop.set)), daemon=True
    ).start()
    saver = asyncio.create_task(application.save_periodically())
    restarter = asyncio.create_task(workflows.restart_interrupted(port))
    # Hypercorn's type hints expect its own protocols.
    await serve(application, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    saver.cancel()
    restarter.cancel()
    application.save()
    # Do not wait for the functions' worker processes.
    os._exit(0)


def _persist_sent_mail() -> None:
    """Patch the emulator to persist the list of sent mails."""
    from ministack.services import ses

    original_state, original_load = ses.get_state, ses.load_persisted_state

    def get_state() -> dict[str, Any]:
        return {**original_state(), "sent_emails": ses._sent_emails}

    def load_persisted_state(data: dict[str, Any]) -> None:
        original_load(data)
        ses._sent_emails.update(data.get("sent_emails", {}))

    ses.get_state, ses.load_persisted_state = get_state, load_persisted_state


def _keep_raw_mail() -> None:
    """Patch the emulator to keep the raw message of each sent mail."""
    from ministack.services import ses, ses_v2

    handle = ses_v2.handle_request

    async def handle_request(
        method: str, path: str, headers: Any, body: bytes, query: Any
    ) -> tuple[int, Any, bytes | str]:
        response: tuple[int, Any, bytes | str] = await handle(method, path, headers, body, query)
        if path.rstrip("/").endswith("/outbound-emails") and response[0] == 200:
            raw = json.loads(body).get("Content", {}).get("Raw", {}).get("Data", "")
            ses._sent_emails_list()[-1]["Raw"] = raw
        return response

    ses_v2.handle_request = handle_request


def _mails() -> list[dict[str, Any]]:
    from ministack.services import ses

    lists = [mails for mails in ses._sent_emails.to_dict().values() if isinstance(mails, list)]
    sent = sorted((mail for mails in lists for mail in mails), key=lambda mail: mail["Timestamp"])
    return [{"to": mail["To"], "raw": mail.get("Raw", "")} for mail in sent]


def _signals() -> tuple[int, ...]:
    import signal

    return signal.SIGTERM, signal.SIGINT


if __name__ == "__main__":
    main()
