"""The texts of the pages of the quarantine, the channels and the webhooks."""

from functions.core.domain.rules import Locale

FUNCTIONS: dict[str, dict[Locale, str]] = {
    "mail": {"zh-CN": "邮件", "en": "Mail"},
    "form": {"zh-CN": "表单", "en": "Form"},
    "chat": {"zh-CN": "聊天消息", "en": "Chat message"},
    "router": {"zh-CN": "分派", "en": "Routing"},
    "notify": {"zh-CN": "发送", "en": "Sending"},
    "sla_timer": {"zh-CN": "定时检查", "en": "Timed check"},
    "closing": {"zh-CN": "结案流程", "en": "Closing"},
}
"""The source of an entry, as people read it."""

_UNREADABLE_CALL: dict[Locale, str] = {
    "zh-CN": "渠道发来的内容无法识别",
    "en": "the channel’s message could not be understood",
}
CAUSES: dict[str, dict[Locale, str]] = {
    "": {"zh-CN": "处理时出错", "en": "an error while it was processed"},
    "virus": {"zh-CN": "发现病毒", "en": "a virus was found"},
    "spam": {"zh-CN": "疑似垃圾邮件", "en": "taken for spam"},
    "dmarc": {"zh-CN": "发件域名是冒用的", "en": "the sender’s domain is forged"},
    "authentication": {"zh-CN": "无法证实发件人", "en": "nothing proves the sender"},
    "unproven": {"zh-CN": "无法证实发件人", "en": "nothing proves the sender"},
    "limit": {"zh-CN": "超出大小或结构限制", "en": "too large or too complex"},
    "flood": {"zh-CN": "短时间内数量过多", "en": "too many in a short time"},
    "broken": {"zh-CN": "邮件无法解析", "en": "the mail cannot be read"},
    "repeated id": {"zh-CN": "邮件编号重复，内容不同", "en": "a different mail under a used id"},
    "unknown recipient": {"zh-CN": "没有服务台使用此邮箱", "en": "no desk has this mailbox"},
    "nobody to answer": {"zh-CN": "没有可以回复的地址", "en": "no address to answer"},
    "loop": {"zh-CN": "本服务台发出的邮件又回来了", "en": "the desk’s own mail came back"},
    "bounce": {"zh-CN": "退信，找不到对应工单", "en": "a bounce of no ticket’s mail"},
    "complaint": {"zh-CN": "投诉退信，找不到对应工单", "en": "an abuse report of no ticket’s mail"},
    "auto_reply": {"zh-CN": "自动回复", "en": "an automatic reply"},
    "uncertain": {
        "zh-CN": "可能已经发出，重放会再发一次",
        "en": "perhaps sent already: replayed, it may be sent twice",
    },
    "unreadable": {"zh-CN": "内容无法读取", "en": "it cannot be read"},
    "dingtalk": _UNREADABLE_CALL,
    "feishu": _UNREADABLE_CALL,
    "line": _UNREADABLE_CALL,
    "slack": _UNREADABLE_CALL,
    "telegram": _UNREADABLE_CALL,
    "wechat": _UNREADABLE_CALL,
    "wecom": _UNREADABLE_CALL,
    "whatsapp": _UNREADABLE_CALL,
}
"""The first words of a cause (docs/channels.md) → the cause as people read it; "" for any other."""

TEXTS: dict[str, dict[Locale, str]] = {
    "quarantine.title": {"zh-CN": "隔离", "en": "Quarantine"},
    "quarantine.about": {
        "zh-CN": "没有成为工单的来信，以及处理失败的记录。放行或重放后会重新处理。",
        "en": "Messages that became no ticket, and records that failed. Each can be replayed.",
    },
    "quarantine.waiting": {"zh-CN": "待处理", "en": "Waiting"},
    "quarantine.discarded": {"zh-CN": "已丢弃", "en": "Discarded"},
    "quarantine.what": {"zh-CN": "内容", "en": "What"},
    "quarantine.cause": {"zh-CN": "原因", "en": "Cause"},
    "quarantine.since": {"zh-CN": "时间", "en": "Since"},
    "quarantine.from": {"zh-CN": "发件人", "en": "From"},
    "quarantine.subject": {"zh-CN": "主题", "en": "Subject"},
    "quarantine.by": {"zh-CN": "丢弃人与原因", "en": "By whom and why"},
    "quarantine.no_subject": {"zh-CN": "（无主题）", "en": "(no subject)"},
    "quarantine.ticket": {"zh-CN": "工单 {number}", "en": "Ticket {number}"},
    "quarantine.no_desk": {"zh-CN": "不属于任何服务台", "en": "Of no desk"},
    "quarantine.none": {"zh-CN": "没有需要处理的内容", "en": "Nothing waits here"},
    "quarantine.none_next": {
        "zh-CN": "被拦下的邮件和处理失败的记录会出现在这里，建议每天看一次。",
        "en": "Mail that is held back and records that fail appear here. Look once a day.",
    },
    "quarantine.none_discarded": {"zh-CN": "还没有丢弃过", "en": "Nothing was discarded"},
    "quarantine.kept": {
        "zh-CN": "丢弃的内容保留一年，期间仍可重放。",
        "en": "What is discarded is kept for a year and can be replayed.",
    },
    "quarantine.next": {"zh-CN": "下一页", "en": "Next page"},
    "quarantine.first": {"zh-CN": "第一页", "en": "First page"},
    "quarantine.done.replayed": {"zh-CN": "已重新处理。", "en": "It is being processed again."},
    "quarantine.done.discarded": {
        "zh-CN": "已丢弃，一年内可在“已丢弃”中找回。",
        "en": "Discarded. For a year it is in the list of the discarded.",
    },
    "quarantine.done.gone": {
        "zh-CN": "这一条已不在隔离中，可能刚刚处理过；如仍在列表里，请一分钟后再试。",
        "en": "It has left the quarantine, perhaps just now. If it is still listed, try again in a "
        "minute.",
    },
    "quarantine.entry": {"zh-CN": "隔离内容", "en": "In quarantine"},
    "quarantine.detail": {"zh-CN": "技术原因", "en": "In detail"},
    "quarantine.show": {"zh-CN": "查看全文", "en": "Show the whole text"},
    "quarantine.show_why": {
        "zh-CN": "全文可能含有客户的个人信息。查看会被记录。",
        "en": "The whole text may contain personal data. Opening it is recorded.",
    },
    "quarantine.text": {"zh-CN": "全文", "en": "The whole text"},
    "quarantine.replay": {"zh-CN": "重新处理", "en": "Process it again"},
    "quarantine.release": {"zh-CN": "放行为请求", "en": "Release it as a request"},
    "quarantine.even_infected": {
        "zh-CN": "邮件中有病毒。我已核查，只放行文字，不放行附件",
        "en": "It contains a virus. I have checked it: release the text, without the files",
    },
    "quarantine.discard": {"zh-CN": "丢弃", "en": "Discard"},
    "quarantine.reason": {"zh-CN": "丢弃原因", "en": "Why it is discarded"},
    "quarantine.back": {"zh-CN": "返回隔离列表", "en": "Back to the quarantine"},
    # Channels
    "channels.title": {"zh-CN": "渠道", "en": "Channels"},
    "channels.about": {
        "zh-CN": "本服务台的渠道，以及最近一天的收发情况。",
        "en": "The desk’s channels, and what came and went in the last day.",
    },
    "channels.part": {
        "zh-CN": "消息较多，发出与失败只统计 {at} 以来的。",
        "en": "There is much traffic: sent and failed are counted from {at}.",
    },
    "channels.channel": {"zh-CN": "渠道", "en": "Channel"},
    "channels.received": {"zh-CN": "最近来信", "en": "Last request"},
    "channels.sent": {"zh-CN": "最近发出", "en": "Last sent"},
    "channels.failed": {"zh-CN": "一天内失败", "en": "Failed in a day"},
    "channels.no_failures": {"zh-CN": "无", "en": "None"},
    "channels.nothing": {"zh-CN": "一天内没有", "en": "None in a day"},
    "channels.in_only": {"zh-CN": "只收不发", "en": "Receives only"},
    "channels.out_only": {"zh-CN": "只发不收", "en": "Sends only"},
    "channels.changed": {"zh-CN": "密钥更新于 {at}", "en": "Secret changed {at}"},
    "channels.disconnected": {"zh-CN": "未连接", "en": "Not connected"},
    "channels.forms": {"zh-CN": "网页与 App 表单", "en": "Forms on the web and in apps"},
    "channels.by_staff": {"zh-CN": "电话与柜台", "en": "Phone and counter"},
    "channels.chat": {"zh-CN": "网页内嵌聊天", "en": "Embedded chat"},
    "channels.webhook": {"zh-CN": "接口（签名调用）", "en": "Signed calls"},
    "channels.quarantine": {
        "zh-CN": "没有成为工单的来信在隔离里",
        "en": "What became no ticket is in the quarantine",
    },
    "channels.connect": {"zh-CN": "连接与更换密钥", "en": "Connecting, and changing secrets"},
    "channels.console": {
        "zh-CN": "密钥只在控制台设置，由运维人员执行：",
        "en": "Secrets are set on the console only. An operator runs:",
    },
    # Webhooks
    "webhooks.title": {"zh-CN": "回调", "en": "Webhooks"},
    "webhooks.about": {
        "zh-CN": "手册中的回调，以及最近一天的发送。",
        "en": "The playbook’s webhooks, and what was sent in the last day.",
    },
    "webhooks.none": {"zh-CN": "还没有回调", "en": "There are no webhooks"},
    "webhooks.none_next": {
        "zh-CN": "在手册的 webhooks 中添加一个，工单有变化时就会通知您的系统。",
        "en": "Add one under webhooks in the playbook, and your system hears of every change.",
    },
    "webhooks.events": {"zh-CN": "事件", "en": "Events"},
    "webhooks.secrets": {"zh-CN": "有效密钥 {n} 个", "en": "Valid secrets: {n}"},
    "webhooks.failed": {"zh-CN": "{n} 条未送达", "en": "{n} not delivered"},
    "webhooks.fine": {"zh-CN": "全部送达", "en": "All delivered"},
    "webhooks.quiet": {"zh-CN": "一天内没有消息", "en": "No messages in a day"},
    "webhooks.last": {"zh-CN": "最近的消息", "en": "The last messages"},
    "webhooks.at": {"zh-CN": "时间", "en": "Time"},
    "webhooks.type": {"zh-CN": "类型", "en": "Type"},
    "webhooks.ticket": {"zh-CN": "工单", "en": "Ticket"},
    "webhooks.state": {"zh-CN": "状态", "en": "State"},
    "webhooks.test": {"zh-CN": "发送测试", "en": "Send a test"},
    "webhooks.again": {"zh-CN": "重发失败的 {n} 条", "en": "Send the {n} failed again"},
    "webhooks.rotate": {"zh-CN": "更换密钥", "en": "Change the secret"},
    "webhooks.keep": {"zh-CN": "旧密钥继续有效", "en": "The old secret stays valid for"},
    "webhooks.hours": {"zh-CN": "{n} 小时", "en": "{n} hours"},
    "webhooks.at_once": {
        "zh-CN": "立即失效（密钥泄露时）",
        "en": "No time (after a leak)",
    },
    "webhooks.confirm": {"zh-CN": "生成新密钥", "en": "Create a new secret"},
    "webhooks.tested": {
        "zh-CN": "{name} 已接收测试消息。",
        "en": "{name} accepted the test message.",
    },
    "webhooks.resent": {"zh-CN": "{n} 条消息正在重发。", "en": "Messages being sent again: {n}."},
    "webhooks.new_secret": {"zh-CN": "{name} 的新密钥", "en": "The new secret of {name}"},
    "webhooks.once": {
        "zh-CN": "只显示这一次，请现在复制给接收方。五分钟内生效。",
        "en": "Shown this once: copy it for the receiver now. It is in use within five minutes.",
    },
    "webhooks.back": {"zh-CN": "返回回调", "en": "Back to the webhooks"},
}
