"""The text around a playbook's messages, in each language."""

from functions.core.domain.rules import Locale

STATUS_BUTTON: dict[Locale, str] = {"zh-CN": "打开工单", "en": "Open your request"}
"""The label of a link's button if the message gives none."""

NUMBER: dict[Locale, str] = {"zh-CN": "工单编号", "en": "Request"}

LABEL_COLUMNS = 36
"""The longest label of a button; a Chinese character takes two columns."""
