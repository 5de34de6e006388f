"""The texts of the workbench's pages in each language (`docs/voice.md`)."""

from functions.core.domain.rules import Locale
from functions.core.text import composer_texts

TEXTS: dict[str, dict[Locale, str]] = {
    "sign_in.title": {"zh-CN": "登录", "en": "Sign in"},
    "sign_in.username": {"zh-CN": "用户名", "en": "Username"},
    "sign_in.password": {"zh-CN": "密码", "en": "Password"},
    "sign_in.code": {"zh-CN": "验证器上的 6 位数字", "en": "The six digits of your authenticator"},
    "sign_in.submit": {"zh-CN": "登录", "en": "Sign in"},
    "sign_out": {"zh-CN": "退出", "en": "Sign out"},
    "queue.mine": {"zh-CN": "我的", "en": "Mine"},
    "queue.team": {"zh-CN": "团队", "en": "Team"},
    "queue.unassigned": {"zh-CN": "待分配", "en": "Unassigned"},
    "queue.supervisor": {"zh-CN": "主管", "en": "Supervisor"},
    "queue.qa": {"zh-CN": "质检", "en": "QA"},
    "queue.tasks": {"zh-CN": "待办", "en": "Tasks"},
    "queue.all": {"zh-CN": "全部", "en": "All"},
    "queue.empty": {"zh-CN": "没有工单", "en": "No tickets"},
    "ticket.reply": {"zh-CN": "回复", "en": "Reply"},
    "ticket.send": {"zh-CN": "发送", "en": "Send"},
}
TEXTS |= composer_texts.TEXTS
