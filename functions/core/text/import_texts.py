"""The texts of an imported ticket where the other help desk has no words."""

from functions.core.domain.imports import Outcome
from functions.core.domain.rules import Locale

IMPORTED_AS: dict[Locale, dict[Outcome, str]] = {
    "zh-CN": {
        "open": "",
        "waiting": "",
        "solved": "在原系统中已解决",
        "closed": "在原系统中已关闭",
    },
    "en": {
        "open": "",
        "waiting": "",
        "solved": "Solved in the former help desk",
        "closed": "Closed in the former help desk",
    },
}
"""Language and outcome → the summary of the resolution, or the reason for which it was closed."""

FILE = {"zh-CN": "附件", "en": "Attachment"}
"""Language → the word before an attachment's name and address."""
