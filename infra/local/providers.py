"""The chat providers of the local system: they accept every message, send nothing, and give one
picture for every file.

`GET /_providers/messages` lists the accepted messages, newest last; `POST /_providers/breaks` with
`{"channel": …}` lets the connection break after the channel's next one. The desks `standard` and
`assisted` have test secrets for every channel that point here.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import string
from collections import deque
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from functions.core.channels.base import names
from infra.console.channels import connect_channel, secret_of
from infra.deploy.local_stage import STAGE
from infra.deploy.trail import OperatorTrail
from infra.local.wecom import FakeWeCom

if TYPE_CHECKING:
    from aiohttp import web

PATH = "/_providers"
DESKS = ("standard", "assisted")
MAX_MESSAGES = 1000
"""The number of the newest messages that are kept."""

_ACCEPTED: dict[str, Any] = {
    "id": "1",
    "errcode": 0,
    "err_no": 0,
    "code": 0,
    "data": {"message_id": "om_local"},
    "processQueryKey": "local",
    "ok": True,
    "ts": "1.000001",
    "result": {"message_id": 1},
    "sentMessages": [{"id": "1", "quoteToken": "local"}],
    "message_id": "1",
    "messages": [{"id": "1"}],
}
"""The response to a message: each adapter reads the keys of its provider."""
_TOKEN = {
    "access_token": "local", "expires_in": 7200,
    "tenant_access_token": "local", "expire": 7200,
    "accessToken": "local", "expireIn": 7200, "uid": 1,
}  # fmt: skip
_CHECKS = ("/getMe", "/auth.test")
"""The calls that check a secret, beside those for a token."""

_PICTURE = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""A picture of one pixel."""


class AcceptedMessages:
    """The messages that the providers took, each once for its key."""

    def __init__(self) -> None:
        self.messages: deque[dict[str, Any]] = deque(maxlen=MAX_MESSAGES)
        self._keys: set[str] = set()
        self._breaking: set[str] = set()

    async def break_next(self, request: web.Request) -> web.Response:
        from aiohttp import web

        self._breaking.add((await request.json())["channel"])
        return web.json_response({})

    def take(self, request: web.Request, channel: str, call: str, body: Any) -> bool:
        """Take a message; return whether the connection lasts."""
        key = request.headers.get("X-Line-Retry-Key") or body.get("uuid") or body.get("msgid")
        if key is None or key not in self._keys:
            self.messages.append({"channel": channel, "call": call, "body": body})
            self._keys.add(key or "")
        if channel not in self._breaking:
            return True
        self._breaking.remove(channel)
        if request.transport is not None:
            request.transport.abort()
        return False


def attach(app: web.Application) -> None:
    from aiohttp import web

    from infra.local import sms_providers

    accepted = AcceptedMessages()
    wecom = FakeWeCom(picture=_PICTURE)

    async def take_for_wecom(request: web.Request) -> web.Response:
        call, raw = request.match_info["call"], await request.read()
        body = json.loads(raw) if raw else {}
        if call == "written":
            wecom.write(body["open_kfid"], *body["msg_list"])
            return web.json_response({})
        if "send_msg" in call and not accepted.take(request, "wecom", call, body):
            return web.Response()
        answer = wecom.answer(call, request.query, body)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="image/gif")
        return web.json_response(answer)

    async def take(request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        if "token" in request.path.lower() or request.path.endswith(_CHECKS):
            return web.json_response({**_ACCEPTED, **_TOKEN, "data": _TOKEN})
        if request.path.endswith("/messageFiles/download"):  # DingTalk names the address of a file
            return web.json_response({"downloadUrl": f"{request.url}/file"})
        accepted.take(request, channel, request.match_info["call"], await _body(request))
        return web.json_response(_ACCEPTED)

    async def take_text(request: web.Request) -> web.Response:
        name, headers = request.match_info["provider"], request.headers.items()
        call = sms_providers.SentCall(
            name,
            request.path,
            request.raw_path.partition("?")[2],
            {header.lower(): value for header, value in headers},
            await request.read(),
        )
        secret_of = partial(sms_providers.local_secret, STAGE)
        status, body, message = await asyncio.to_thread(
            sms_providers.answer, call, secret_of, datetime.now(UTC)
        )
        if message is not None:
            accepted.messages.append({"channel": f"sms-{name}", "call": "SendSms", "body": message})
        return web.json_response(body, status=status)

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(list(accepted.messages), dumps=_readable)

    app.router.add_get(f"{PATH}/messages", show)
    app.router.add_post(f"{PATH}/breaks", accepted.break_next)
    app.router.add_post(sms_providers.PATH + "/{provider}/", take_text)
    app.router.add_route("*", PATH + "/wecom/{call:.*}", take_for_wecom)
    app.router.add_post(PATH + "/{channel}/{call:.*}", take)
    app.router.add_get(PATH + "/{channel}/{call:.*}", _give)


async def _give(request: web.Request) -> web.Response:
    """Give the same picture for every file, or first its address, as the provider does."""
    from aiohttp import web

    channel, call = request.match_info["channel"], request.match_info["call"]
    file = f"{request.url.origin()}{PATH}/{channel}/files/1"
    addresses: dict[str, Any] = {
        "douyin": {"err_no": 0, "data": {"media_type": "image", "url": file}},
        "slack": {"ok": True, "file": {"url_private": file}},
        "telegram": {"ok": True, "result": {"file_path": "files/1"}},
        "whatsapp": {"id": "1", "messaging_product": "whatsapp", "url": file},
    }
    if call == "me":  # Messenger tells whose token it is
        return web.json_response({"id": "1"})
    if channel in addresses and not call.endswith("files/1"):
        return web.json_response(addresses[channel])
    return web.Response(body=_PICTURE, content_type="image/gif")


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    return dict(parse_qsl(raw.decode())) if is_form else json.loads(raw)


def _readable(sent: Any) -> str:
    return json.dumps(sent, ensure_ascii=False, indent=1)


def ensure_channels(stage: str, http_port: int, desk: str) -> dict[str, dict[str, Any]]:
    """Create missing test secrets of a desk; return all of them by channel."""
    channel_secrets = {}
    for channel in names():
        existing = secret_of(stage, desk, channel)
        secret = existing or _random_secret(channel)
        if existing is None or _is_local(str(existing.get("api", ""))):
            secret = {**secret, "api": f"http://127.0.0.1:{http_port}{PATH}/{channel}"}
            if secret != existing:
                connect_channel(OperatorTrail.of(stage), desk, channel, secret)
        channel_secrets[channel] = secret
    return channel_secrets


def _is_local(api: str) -> bool:
    return api.startswith("http://127.0.0.1:") and PATH in api


def _random_secret(channel: str) -> dict[str, str]:
    letters = string.ascii_letters + string.digits

    def random(length: int) -> str:
        return "".join(secrets.choice(letters) for _ in range(length))

    if channel in {"wechat", "miniprogram"}:
        app = {"app_id": f"wx{random(16)}", "app_secret": random(32)}
        return {"token": random(24), "aes_key": random(43), **app}
    from functions.core.channels.base import adapter

    provider = adapter(channel)
    needs = provider.needs if provider else ()
    return {key: random(43 if key == "aes_key" else 32) for key in needs}
