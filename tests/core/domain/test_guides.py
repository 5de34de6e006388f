"""The guides' own examples, and amounts and denials as customers write them."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from functions.core.domain.amounts import amount_in
from functions.core.domain.rules import Playbook
from functions.core.playbook import load
from functions.router.classify import classify


@cache
def desk(name: str) -> Playbook:
    return load(Path(__file__).parents[3] / "playbooks" / f"{name}.yaml")


EXAMPLES: list[tuple[str, str, dict[str, Any]]] = [
    ("standard", "无法登录", {"tag": "无法登录", "type": "报障", "priority": "中"}),
    ("standard", "支付失败", {"tag": "支付失败", "type": "报障"}),
    ("standard", "物流查询", {"tag": "物流查询", "type": "咨询"}),
    ("standard", "功能异常", {"tag": "功能异常", "vague": True}),
    ("standard", "密码找回", {"tag": "密码找回", "vague": False}),
    ("standard", "系统崩溃", {"priority": "高"}),
    ("standard", "核心业务中断", {"priority": "高"}),
    ("omnichannel", "产品政策", {"tag": "Z-产品政策", "type": "Z", "priority": "P3"}),
    ("omnichannel", "支付异常", {"tag": "G-支付异常", "type": "G", "priority": "P2"}),
    ("omnichannel", "未收到支付成功短信", {"tag": "G-支付异常", "type": "G", "priority": "P2"}),
    ("omnichannel", "支付异常，被扣了两万元", {"priority": "P1"}),
    ("omnichannel", "所有用户都无法支付", {"priority": "P1"}),
    ("omnichannel", "再不处理我就向12315举报", {"priority": "P1"}),
    ("omnichannel", "我要投诉，什么态度", {"type": "T", "priority": "P2", "mood": "upset"}),
    ("aftersales", "机器需要维修", {"type": "维修"}),
    ("aftersales", "我想退换货", {"type": "退换货"}),
    ("aftersales", "咨询一下保修政策", {"type": "咨询", "priority": "低"}),
    ("aftersales", "插座漏电", {"type": "维修", "priority": "紧急"}),
    ("rapid", "您好，咨询一下会员", {"type": "咨询", "priority": "中"}),
    ("rapid", "我要投诉", {"type": "投诉", "priority": "高"}),
    ("rapid", "无法登录", {"type": "技术支持"}),
    ("rapid", "建议增加夜间模式", {"type": "建议", "priority": "低"}),
    ("rapid", "登录有问题", {"tag": "登录问题", "vague": True}),
    ("rapid", "会员积分无法兑换，页面提示错误", {"tag": "会员权益", "priority": "高"}),
    ("rapid", "支付失败导致订单取消", {"type": "技术支持", "priority": "紧急"}),
    ("rapid", "系统宕机", {"priority": "紧急"}),
    ("rapid", "银行卡被盗刷", {"priority": "紧急"}),
    ("assisted", "我的订单到哪一步了", {"type": "订单与物流", "priority": "普通"}),
    ("assisted", "显示签收了，可是我没收到", {"tag": "签收未收到", "priority": "紧急"}),
    ("assisted", "一单扣了两次钱", {"type": "支付与发票", "priority": "紧急"}),
    ("assisted", "银行卡被盗刷", {"type": "支付与发票", "priority": "特急"}),
    ("assisted", "插座漏电", {"type": "维修", "priority": "特急"}),
    ("assisted", "投诉你们客服，什么态度", {"type": "投诉", "priority": "紧急", "mood": "upset"}),
    ("assisted", "再不处理我就打12315", {"type": "投诉", "priority": "特急"}),
    ("assisted", "How do I return something?", {"type": "退换货与退款"}),
    ("assisted", "The washing machine is leaking", {"tag": "报修", "type": "维修"}),
]
DENIALS: list[tuple[str, str, dict[str, Any]]] = [
    ("standard", "没有出现支付失败，只想问怎么开发票", {"type": "咨询", "tag": "发票"}),
    ("rapid", "没有发生重复扣款或支付失败，请问怎么开发票", {"priority": "中", "tag": "发票"}),
    ("rapid", "我不是来投诉的，就问下运费多少钱", {"type": "咨询", "priority": "中"}),
    ("standard", "没有报错，就是登录不上", {"tag": "无法登录"}),
    ("standard", "There was no payment failure; how do I get an invoice?", {"type": "咨询"}),
    # What sounds like a denial and is the problem itself:
    ("standard", "一直没有退款", {"tag": "退款"}),
    ("standard", "没有任何退款到账", {"tag": "退款"}),
    ("standard", "不是说退款吗，怎么还没到账", {"tag": "退款"}),
    ("standard", "是不是支付失败了", {"tag": "支付失败"}),
    ("standard", "东西不要了退款", {"tag": "退款"}),
    ("standard", "没有收到货", {"tag": "物流查询"}),
    ("standard", "不能支付", {"tag": "支付失败"}),
    ("standard", "No refund yet", {"tag": "退款"}),
    ("standard", "没有出现优惠券，但是支付失败了", {"tag": "支付失败"}),
    ("aftersales", "没有起火", {"priority": "紧急"}),
]


@pytest.mark.requirement("A2", "A6", "A7", "B3", "B4", "D3", "D5", "E1", "E2", "E3")
@pytest.mark.parametrize(("name", "text", "expected"), EXAMPLES + DENIALS)
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
