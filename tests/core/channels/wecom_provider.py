"""A fake WeCom: it announces, signed and encrypted, and gives its pages over HTTP."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from infra.local.wecom import FakeWeCom
from tests.core.channels.provider_requests import Call, FakeProvider, SafeWeChat, as_json, sha1

ACCOUNT = "wk00000000000000000000000000test"


class WeCom(FakeProvider):
    """A company with one customer-service account."""

    secret: Mapping[str, Any] = {
        "corp_id": "ww0123456789abcdef",
        "secret": "a-secret-of-an-app",
        "token": "a-token-for-tests",
        "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "open_kfid": ACCOUNT,
    }
    user: str = "wm00000000000000000000000000abcd"
    signs_body: ClassVar[bool] = False  # what is outside of Encrypt
    signs_time: ClassVar[bool] = True
    pulled: ClassVar[bool] = True
    closed = 200, b'{"errcode":95001,"errmsg":"send msg count limit"}'

    def call(self, body: bytes, now: datetime) -> Call:
        """Return an announcement, whose answer does not depend on what is pulled then."""
        return self.announce(now)

    def delivered(self, body: bytes, now: datetime) -> Call:
        return Call(body)

    def announce(self, now: datetime, **fields: str) -> Call:
        named = {"Event": "kf_msg_or_event", "Token": "T1", "OpenKfId": ACCOUNT, **fields}
        inner = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in named.items())
        encrypted = self._encrypt(f"<xml><MsgType>event</MsgType>{inner}</xml>".encode())
        body = f"<xml><ToUserName>x</ToUserName><Encrypt>{encrypted}</Encrypt></xml>"
        return Call(body.encode(), self._query(encrypted, now), {"Content-Type": "text/xml"})

    def check(self, now: datetime, word: str = "5837397520665436492") -> Call:
        """Return the request that verifies the URL."""
        encrypted = self._encrypt(word.encode())
        return Call(query={**self._query(encrypted, now), "echostr": encrypted}, method="GET")

    def _query(self, encrypted: str, now: datetime) -> dict[str, str]:
        stamp, nonce = str(int(now.timestamp())), "486452656"
        signature = sha1(self.secret["token"], stamp, nonce, encrypted)
        return {"timestamp": stamp, "nonce": nonce, "msg_signature": signature}

    def _encrypt(self, content: bytes) -> str:
        sealing = SafeWeChat()
        sealing.secret = {**self.secret, "app_id": self.secret["corp_id"]}
        return sealing.encrypt(content)

    def entry(self, words: str, now: datetime, **more: Any) -> dict[str, Any]:
        """Return an entry of a page, by default a customer's text."""
        return {
            "msgid": more.pop("id", None) or uuid4().hex,
            "open_kfid": ACCOUNT,
            "external_userid": more.pop("user", self.user),
            "send_time": int(now.timestamp()),
            "origin": 3,
            "msgtype": "text",
            "text": {"content": words},
            **more,
        }

    def text(self, words: str, now: datetime, **more: str) -> bytes:
        return as_json({"errcode": 0, "msg_list": [self.entry(words, now, **more)]})

    def accepted(self) -> bytes:
        return b'{"errcode":0,"errmsg":"ok","msgid":"1"}'

    def refused(self) -> tuple[int, bytes]:
        return 200, b'{"errcode":40096,"errmsg":"invalid external userid"}'

    def sent_message(self, body: Mapping[str, Any]) -> tuple[str, str]:
        return body["touser"], body["text"]["content"]


@dataclass
class WeComServer:
    """A fake WeCom that listens: its state, the calls that it got, answers to give first."""

    api: FakeWeCom
    url: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    answers: dict[str, list[bytes]] = field(default_factory=dict)

    def to(self, part: str) -> list[Any]:
        """Return the bodies of the calls whose path contains `part`."""
        return [body for path, body in self.calls if part in path]


@contextmanager
def wecom_server(page: int = 100) -> Iterator[WeComServer]:
    found = WeComServer(FakeWeCom(page))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url, body = urlsplit(self.path), json.loads(raw) if raw else {}
            found.calls.append((url.path, body))
            name = url.path.rpartition("/")[2]
            if waiting := found.answers.get(name):
                answer: Any = waiting.pop(0)
            else:
                answer = found.api.answer(url.path, dict(parse_qsl(url.query)), body)
            content = answer if isinstance(answer, bytes) else as_json(answer)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
            """The tests look at `calls`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
