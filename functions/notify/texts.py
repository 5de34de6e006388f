"""The text around a playbook's messages, in each language."""

from __future__ import annotations

from functions.core.domain.rules import Locale

STATUS_BUTTON: dict[Locale, str] = {"zh-CN": "打开工单", "en": "Open your request"}
"""The label of a link's button if the message gives none."""

NUMBER: dict[Locale, str] = {"zh-CN": "工单编号", "en": "Ticket"}

LABEL_COLUMNS = 36
"""The longest label of a button; a Chinese character takes two columns."""

CALL_SUBJECT: dict[Locale, str] = {
    "zh-CN": "[{number}] 请致电客户：{subject}",
    "en": "[{number}] Please call the customer: {subject}",
}
"""The subject of a request to call a customer who prefers that (B8)."""

CALL: dict[Locale, str] = {
    "zh-CN": "客户 {name} 希望以电话方式联系，请致电 {contact}，告知以下内容：",
    "en": "The customer {name} prefers to be called. Please call {contact} and say:",
}
