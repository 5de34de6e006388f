"""A WeCom that takes messages and gives those that were put into it, without a network.

`POST /_providers/wecom/written` puts entries of sync_msg into it, as if customers had written; an
announcement is signed and posted by whoever plays WeCom.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

TOKEN = {"errcode": 0, "access_token": "local", "expires_in": 7200}
OK = {"errcode": 0, "errmsg": "ok"}


class FakeWeCom:
    """The API of one company's accounts."""

    def __init__(self, page: int = 100, picture: bytes = b"") -> None:
        """Args: `picture` is the file of every id but those that begin with `expired`."""
        self.written: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self.states: dict[str, int] = {}
        self.files: dict[str, bytes] = {}
        self.expired_tokens: set[str] = set()
        self._codes: set[str] = set()
        self._ids: set[str] = set()
        self._page, self._picture = page, picture

    def write(self, account: str, *entries: Mapping[str, Any]) -> None:
        """Let customers write, or events happen."""
        self.written[account] += entries

    def answer(self, call: str, query: Mapping[str, str], body: Any) -> Mapping[str, Any] | bytes:
        """Return the response to a call: JSON, or a file's content."""
        if call.endswith("gettoken"):
            return TOKEN
        if call.endswith("media/get"):
            wanted = query.get("media_id", "")
            picture = b"" if wanted.startswith("expired") else self._picture
            invalid = {"errcode": 40007, "errmsg": "invalid media_id"}
            return self.files.get(wanted) or picture or invalid
        if call.endswith("sync_msg"):
            return self._sync(body)
        if call.endswith("service_state/get"):
            return OK | {"service_state": self.states.get(body["external_userid"], 0)}
        if call.endswith("service_state/trans"):
            return self._transfer(body)
        return self._send(body)

    def _sync(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if body.get("token") in self.expired_tokens:
            return {"errcode": 95007, "errmsg": "invalid msg token"}
        entries, limit = self.written[body.get("open_kfid", "")], body.get("limit", self._page)
        start = int(body.get("cursor") or 0)
        end = min(start + min(limit, self._page), len(entries))
        page = {"next_cursor": str(end), "has_more": int(end < len(entries))}
        return OK | page | {"msg_list": entries[start:end]}

    def _transfer(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        user = body["external_userid"]
        if self.states.get(user, 0) != 0:
            return {"errcode": 95016, "errmsg": "not allowed"}
        self.states[user] = body["service_state"]
        return OK

    def _send(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        code, message_id = body.get("code"), body.get("msgid", "")
        if code is None and self.states.get(body["touser"], 0) > 1:
            return {"errcode": 95018, "errmsg": "send msg session status invalid"}
        if (code and code in self._codes) or (message_id and message_id in self._ids):
            return {"errcode": 95013, "errmsg": "repeated"}
        self._codes.add(code or "")
        self._ids.add(message_id)
        return OK | {"msgid": message_id}
