"""The words by which a customer denies what follows: 没有出现支付失败 reports no failed payment."""

from functions.core.domain.playbook_types import Section, Words


class Negations(Section):
    """The words that deny a keyword.

    `clause` denies every keyword up to the end of its clause, `next` the keyword that follows at
    once. `absent` does so only before one of `faults`: 没有报错 denies a fault, but 没有退款
    complains of a missing refund.
    """

    clause: Words = (
        "没有出现", "没出现", "没有发生", "没发生", "没有遇到", "没遇到", "未出现", "未发生",
        "未遇到", "不存在", "并没有出现", "not about", "isn't about", "not because of",
        "nothing to do with",
    )  # fmt: skip
    next: Words = (
        "不是", "并不是", "并非", "不算", "不想", "不要", "不需要", "无需", "不打算", "不是要",
        "不是想", "不是来", "我不是", "not a", "not an", "isn't a", "is not a", "wasn't a",
        "don't want a", "don't want to", "do not want a", "not asking for a", "not looking for a",
    )  # fmt: skip
    absent: Words = (
        "没有", "没", "未", "无", "并无", "并未", "no", "not", "without", "didn't get an",
    )  # fmt: skip
    faults: Words = (
        "失败", "异常", "故障", "报错", "错误", "崩溃", "闪退", "卡顿", "死机", "白屏", "黑屏",
        "中断", "瘫痪", "损坏", "破损", "漏水", "噪音", "异响", "重复扣款", "被盗", "盗刷", "投诉",
        "fail", "error", "crash", "outage", "bug", "broken", "damage", "charged twice", "complain",
    )  # fmt: skip
