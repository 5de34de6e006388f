"""The guides' own examples, and amounts and denials as customers write them."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.amounts import amount_in
from functions.core.domain.classification import classify
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from tests.examples import examples


@cache
def desk(name: str) -> Playbook:
    return load(Path(__file__).parents[3] / "playbooks" / f"{name}.yaml")


EXAMPLES = examples(__file__)


@pytest.mark.requirement("A2", "A6", "A7", "B3", "B4", "D3", "D5", "E1", "E2", "E3")
@pytest.mark.parametrize(("name", "text", "expected"), EXAMPLES["examples"] + EXAMPLES["denials"])
def test_an_example_has_the_guides_result(name: str, text: str, expected: dict[str, Any]) -> None:
    found = classify(text, desk(name))
    values = {"tag": found.tags[0] if found.tags else None, **vars(found)}
    assert {key: values[key] for key in expected} == expected


@pytest.mark.requirement("B4")
@pytest.mark.parametrize(
    ("texts", "amount"),
    [
        ("两万元 | 扣了20000 | 2w | 2万块 | 20k | RMB 20000 | ￥20,000 | 转了两万", 20000),
        ("RMB20000 | rmb20000 | 扣费：20000.00 | 贰万元 | 2萬 | 2萬塊", 20000),
        ("壹万元 | 扣费了10000 | 一万余元", 10_000),
        ("十几万 | 十几万元", 120_000),
        ("10几万 | 10多万元", 100_000),
        ("model15000 | 扣费：2次 | 几万个用户", None),
        ("两万五千元 | 2.5万 | 2万5 | 损失约25000", 25000),
        ("二十万 | 二十万元 | 骗走我20万", 200_000),
        ("一万多 | 一万来块 | 10 千元", 10_000),
        ("三千五百块 | $3,500 | 3500 dollars", 3500),
        ("三百多块钱 | 付款300.00", 300),
        ("十万火急 | 千万不要 | 两万个用户 | 粉丝20万人 | 等了20000分钟 | 扣了两次", None),
        ("订单20260310001 | 付款20260310001 | 138****5678 | 4k电视 | 65w充电器", None),
    ],
)  # fmt: skip
def test_amounts_are_found_as_people_write_them(texts: str, amount: int | None) -> None:
    found = {text: amount_in(text) for text in texts.split(" | ")}
    assert found == dict.fromkeys(found, None if amount is None else Decimal(amount))
