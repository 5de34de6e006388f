"""The desk `standard` with a provider of text messages that sends registered texts."""

from pathlib import Path
from typing import Any

from functions.core.playbook.loader import read_yaml

STANDARD = Path(__file__).parents[1] / "playbooks" / "standard.yaml"
LINK = "https://desk.example.com/t/{{ short_code }}"
WITHOUT_WORDS = (
    "ask_reason", "assigned", "contact_corrected", "information_reminder", "link_again", "merged",
    "received", "reopened", "safety_advice",
)  # fmt: skip
"""The messages to customers that contain nothing that a person wrote."""


def registering_desk(provider: str = "aliyun") -> dict[str, Any]:
    """Return the content of the desk's playbook; each of its messages has a text."""
    content: dict[str, Any] = read_yaml(STANDARD)[0]
    content.pop("sms_signature")
    registered: dict[str, Any] = {
        name: {"id": f"SMS_{1000 + index}", "text": f"工单{{{{ number }}}}有进展，详情 {LINK}"}
        for index, name in enumerate(WITHOUT_WORDS)
    }
    registered["former_contact_replaced"] = {"id": 2000, "text": "工单{{ number }}不再通知本号码"}
    content["sms"] = {
        "provider": provider,
        "signature": "客户支持",
        "registered": registered,
        "new_message": {"id": "SMS_1", "text": f"工单{{{{number}}}}有新消息，请点击查看 {LINK}"},
    }
    return content
