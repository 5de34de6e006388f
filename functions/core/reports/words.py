"""The texts of reports in each language: sentences and headings."""

from functions.core.domain.playbook_types import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "suggestion": {
        "zh-CN": "{label}占比{share}，{suggestion}",
        "en": "{label}: {share} of all; {suggestion}",
    },
    "stands_out": {
        "zh-CN": "{label}占比{share}，平时{usual}",
        "en": "{label}: {share} of all, usually {usual}",
    },
    "problem.backlog": {
        "zh-CN": "未结工单不平：期初 {opening} + 收到 {received} + 重开 {reopened} + "
        "撤销合并 {unmerged} − 解决 {resolved} − 关闭 {closed} − 合并 {merged} ≠ 期末 {closing}",
        "en": "The backlog does not add up: opening {opening} + received {received} + reopened "
        "{reopened} + unmerged {unmerged} − resolved {resolved} − closed {closed} − merged "
        "{merged} ≠ closing {closing}",
    },
    "problem.volume": {
        "zh-CN": "受理量 {volume} + 已合并 {merged} ≠ 收到 {received}",
        "en": "Volume {volume} + merged {merged} ≠ received {received}",
    },
    "problem.groups": {
        "zh-CN": "各{dimension}受理量之和 {sum} ≠ 受理量 {volume}",
        "en": "The volumes by {dimension} add up to {sum}, not to {volume}",
    },
}


def say(key: str, locale: Locale, **values: object) -> str:
    """Return the text under `key` with its `{placeholders}` filled in."""
    return TEXTS[key][locale].format(**values)


def percent(share: float) -> str:
    """Write a share in whole percent, small ones with a decimal place."""
    return f"{share * 100:.1f}%" if 0 < share < 0.1 else f"{share * 100:.0f}%"
