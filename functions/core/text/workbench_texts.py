"""The texts of the workbench's pages in each language (`docs/voice.md`)."""

from functions.core.domain.rules import Locale
from functions.core.text import queue_texts

TEXTS: dict[str, dict[Locale, str]] = {
    **queue_texts.TEXTS,
    "sign_in.title": {"zh-CN": "登录", "en": "Sign in"},
    "sign_in.username": {"zh-CN": "用户名", "en": "Username"},
    "sign_in.password": {"zh-CN": "密码", "en": "Password"},
    "sign_in.code": {"zh-CN": "验证器上的 6 位数字", "en": "The six digits of your authenticator"},
    "sign_in.submit": {"zh-CN": "登录", "en": "Sign in"},
    "sign_out": {"zh-CN": "退出", "en": "Sign out"},
    "ticket.reply": {"zh-CN": "回复", "en": "Reply"},
    "ticket.send": {"zh-CN": "发送", "en": "Send"},
}
