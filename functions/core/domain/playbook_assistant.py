"""The part of a playbook about the assistant, which answers chats before a person does (C3–C6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.core.domain.playbook_types import Identifier, Section, Text, Words

Share = Annotated[float, Field(gt=0, le=1)]

_PERSON = (
    "转人工", "人工客服", "人工服务", "找人工", "要人工", "真人", "接人工", "找客服", "叫客服",
    "human", "real person", "live agent", "speak to a person", "talk to a person",
    "talk to someone", "speak to someone", "representative", "speak to an agent",
    "talk to an agent",
)  # fmt: skip


class Assistant(Section):
    """The assistant of a desk.

    It gives an answer at once if the engine is `at_once` sure, and offers articles if it is `offer`
    sure. After `misses` questions in a row without an answer, a rating of `poor` or less, or one of
    the words in `person`, it hands over to a person. `variables` are the names, for people, of what
    its articles ask the customer for.
    """

    welcome: Text
    at_once: Share = 0.97
    offer: Share = 0.40
    misses: Annotated[int, Field(ge=1, le=5)] = 2
    poor: Annotated[int, Field(ge=0, le=5)] = 3
    person: Words = _PERSON
    variables: dict[Identifier, Text] = {"order_number": {"zh-CN": "订单号", "en": "order number"}}
    chats_per_source: Annotated[int, Field(ge=1)] = 30
    chats_per_desk: Annotated[int, Field(ge=1)] = 3000
