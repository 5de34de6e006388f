"""What stands around a playbook's own words, in each language."""

from __future__ import annotations

from functions.core.playbook import Locale

STATUS_BUTTON: dict[Locale, str] = {"zh-CN": "打开工单", "en": "Open your request"}
"""On the button of a link that comes without words of its own."""

NUMBER: dict[Locale, str] = {"zh-CN": "工单编号", "en": "Ticket"}

LABEL_COLUMNS = 36
"""How wide the words of a button may be; a Chinese character takes two columns."""

LIST_SEPARATOR: dict[Locale, str] = {"zh-CN": "、", "en": ", "}

CALL_SUBJECT: dict[Locale, str] = {
    "zh-CN": "[{number}] 请致电客户：{subject}",
    "en": "[{number}] Please call the customer: {subject}",
}
"""Over a phone task: the customer prefers to be called (B8)."""

CALL: dict[Locale, str] = {
    "zh-CN": "客户 {name} 希望以电话方式联系，请致电 {contact}，告知以下内容：",
    "en": "The customer {name} prefers to be called. Please call {contact} and say:",
}

TIMERS: dict[str, dict[Locale, str]] = {
    "first_response": {"zh-CN": "首次响应", "en": "first response"},
    "confirm_type": {"zh-CN": "类型确认", "en": "confirmation of the type"},
    "customer_info": {"zh-CN": "客户补充信息", "en": "information from the customer"},
    "acceptance": {"zh-CN": "接单", "en": "acceptance"},
    "review": {"zh-CN": "审核", "en": "review"},
    "resolution": {"zh-CN": "解决", "en": "resolution"},
    "callback": {"zh-CN": "回访", "en": "call-back"},
    "collaboration": {"zh-CN": "跨部门协作", "en": "collaboration"},
    "customer_update": {"zh-CN": "客户进度通报", "en": "update to the customer"},
    "satisfaction": {"zh-CN": "满意度调查", "en": "satisfaction survey"},
    "second_handling": {"zh-CN": "二次处理", "en": "second handling"},
}
"""What a timer is called in `{{ timer }}`."""
