"""WeChat mini-programs (小程序): 消息推送, 客服消息接收与发送.

Requests are signed and encrypted like an official account's, and come as XML or as JSON, whichever
the account has chosen. The HTTP response carries no reply: every text goes out as a
customer-service message, five in 48 hours after the person's last message and two in the minute
after they opened the chat.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from functions.core.channels import wechat
from functions.core.channels.base import Kind, Window, Windows, get_text, parse_object


class MiniProgram(wechat.WeChat):
    """A mini-program. Secret: as of an official account."""

    name: ClassVar[str] = "miniprogram"
    answers: ClassVar[bool] = False
    windows: ClassVar[Windows] = {
        "message": Window(timedelta(hours=48), 5),
        "subscribed": Window(timedelta(minutes=1), 2),
    }
    kinds: ClassVar[wechat.Kinds] = {
        **wechat.KINDS,
        "miniprogrampage": ("link", ("Title", "PagePath"), ("ThumbMediaId",)),
    }
    events: ClassVar[Mapping[str, Kind]] = {"user_enter_tempsession": "subscribed"}

    def fields(self, body: bytes) -> dict[str, str]:
        if not body.lstrip().startswith(b"{"):
            return super().fields(body)
        content = parse_object(body)
        return {name: get_text(content, name) for name in content}
