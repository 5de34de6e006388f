"""The texts of the page of administrative acts, and what each act is called."""

from functions.core.domain.audit import ACTS
from functions.core.domain.rules import Locale

_CHINESE = {
    "call.open-recording": "打开通话录音",
    "channel.remove": "断开聊天渠道",
    "channel.set": "设置或更换聊天渠道密钥",
    "customer.export": "导出客户的全部信息",
    "deploy": "部署系统",
    "export.desk": "导出服务台的全部工单",
    "import": "导入工单",
    "knowledge.apply": "用命令行修改知识库文章",
    "person.add": "加入名册或重新启用",
    "person.change": "修改人员信息",
    "person.remove": "停用人员",
    "person.reset": "重置密码或移除验证器",
    "playbook.apply": "更换手册",
    "quarantine.discard": "丢弃隔离内容",
    "quarantine.replay": "重放或放行隔离内容",
    "quarantine.show": "查看隔离内容",
    "sms.remove": "移除短信服务商密钥",
    "sms.set": "设置或更换短信服务商密钥",
    "smoke": "运行冒烟测试",
    "ticket.erase": "删除客户个人信息",
    "ticket.export": "导出工单档案",
    "ticket.hold": "设置延期保存",
    "ticket.open-contact": "查看客户联系方式",
    "ticket.open-original": "查看原文",
    "ticket.release": "解除延期保存",
    "webhooks.replay": "重发 Webhook 消息",
    "webhooks.rotate": "更换 Webhook 密钥",
    "webhooks.secret": "查看 Webhook 密钥",
    "webhooks.send-test": "发送 Webhook 测试消息",
}
"""Act → what it is called in Chinese; in English it is what `ACTS` says."""

TEXTS: dict[str, dict[Locale, str]] = {
    "audit.opened": {"zh-CN": "查看原文或联系方式", "en": "opened an original or a contact"},
    "audit.all": {"zh-CN": "全部操作", "en": "all acts"},
    "audit.intro": {
        "zh-CN": "谁在什么时候做了什么。保留十年，不能修改；原因取自工单历史。时间按 {zone}。",
        "en": "Who did what, and when. Kept for ten years and never changed; reasons come from "
        "the ticket’s history. Times of {zone}.",
    },
    "audit.act": {"zh-CN": "操作", "en": "Act"},
    "audit.meaning": {"zh-CN": "说明", "en": "Meaning"},
    "audit.person": {"zh-CN": "人员", "en": "Person"},
    "audit.from": {"zh-CN": "从", "en": "From"},
    "audit.to": {"zh-CN": "到", "en": "To"},
    "audit.filter": {"zh-CN": "查看", "en": "Show"},
    "audit.csv": {"zh-CN": "下载 CSV", "en": "Download CSV"},
    "audit.count": {"zh-CN": "{n} 条", "en": "Acts: {n}"},
    "audit.at": {"zh-CN": "时间", "en": "Time"},
    "audit.actor": {"zh-CN": "操作者", "en": "By"},
    "audit.target": {"zh-CN": "对象", "en": "Of what"},
    "audit.why": {"zh-CN": "原因或变化", "en": "Reason or change"},
    "audit.before": {"zh-CN": "之前", "en": "Before"},
    "audit.after": {"zh-CN": "之后", "en": "After"},
    "audit.none": {
        "zh-CN": "这段时间没有这样的操作。可以换一个操作或日期。",
        "en": "There are no such acts in this time. Choose another act or other days.",
    },
    "audit.newer": {"zh-CN": "较新", "en": "Newer"},
    "audit.older": {"zh-CN": "较早", "en": "Older"},
    "audit.page": {"zh-CN": "第 {n} 页，共 {last} 页", "en": "Page {n} of {last}"},
    "audit.pages": {"zh-CN": "翻页", "en": "Further pages"},
    "audit.wrong_day": {"zh-CN": "请写日期，例如 2026-03-10", "en": "a date such as 2026-03-10"},
    "audit.wrong_span": {
        "zh-CN": "结束不能早于开始，最多 {n} 天",
        "en": "not before the first day, and at most {n} days",
    },
}


def act_label(act: str, locale: Locale) -> str:
    """Return what an act, or a choice of several, is called."""
    if f"audit.{act}" in TEXTS:
        return TEXTS[f"audit.{act}"][locale]
    return _CHINESE.get(act, act) if locale == "zh-CN" else ACTS.get(act, act)
