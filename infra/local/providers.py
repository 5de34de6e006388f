"""Chat providers of the local system: they take every message, show it, and send nothing anywhere.

`GET /_providers/messages` lists what was sent, newest last. The desk `standard` has test secrets
for every channel, made once, which point here.
"""

from __future__ import annotations

import json
import secrets
import string
from collections import deque
from typing import TYPE_CHECKING, Any

from functions.core.channels.base import names
from infra.console.channels import connect_channel, secret_of

if TYPE_CHECKING:
    from aiohttp import web

PATH = "/_providers"
DESK = "standard"
KEPT = 1000
"""Messages that are remembered, the newest."""

_ANSWERS: dict[str, Any] = {
    "wechat": {"errcode": 0, "errmsg": "ok"},
    "line": {"sentMessages": [{"id": "1", "quoteToken": "local"}]},
    "slack": {"ok": True, "ts": "1.000001"},
    "telegram": {"ok": True, "result": {"message_id": 1}},
}
_TOKEN = {"access_token": "local", "expires_in": 7200}


def attach(app: web.Application) -> None:
    """Let an application stand for every provider, below `PATH`."""
    from aiohttp import web

    sent: deque[dict[str, Any]] = deque(maxlen=KEPT)

    async def take(request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        if request.path.endswith("/cgi-bin/stable_token"):
            return web.json_response(_TOKEN)
        body = json.loads(await request.read())
        sent.append({"channel": channel, "call": request.match_info["call"], "body": body})
        return web.json_response(_ANSWERS.get(channel, {}))

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(list(sent), dumps=_readable)

    app.router.add_get(f"{PATH}/messages", show)
    app.router.add_post(PATH + "/{channel}/{call:.*}", take)


def _readable(sent: Any) -> str:
    return json.dumps(sent, ensure_ascii=False, indent=1)


def ensure_channels(stage: str, http_port: int) -> dict[str, dict[str, Any]]:
    """Test secrets for every channel of the desk `standard`; by channel. What is there stays."""
    found = {}
    for channel in names():
        known = secret_of(stage, DESK, channel)
        given = known or _made(channel)
        api = f"http://127.0.0.1:{http_port}{PATH}/{channel}"
        if known is None or _is_local(str(known.get("api", ""))):
            given = {**given, "api": api}
            if given != known:
                connect_channel(stage, DESK, channel, given)
        found[channel] = given
    return found


def _is_local(api: str) -> bool:
    return api.startswith("http://127.0.0.1:") and PATH in api


def _made(channel: str) -> dict[str, str]:
    letters = string.ascii_letters + string.digits

    def some(length: int) -> str:
        return "".join(secrets.choice(letters) for _ in range(length))

    if channel == "wechat":
        app = {"app_id": f"wx{some(16)}", "app_secret": some(32)}
        return {"token": some(24), "aes_key": some(43), **app}
    from functions.core.channels.base import adapter

    adapted = adapter(channel)
    return {key: some(32) for key in adapted.needs} if adapted else {}
