"""The texts of the page of holds and erasures."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "erasure.holds": {"zh-CN": "延期保存", "en": "Legal holds"},
    "erasure.holds_note": {
        "zh-CN": "延期保存的工单到期后不会删除，也不能删除客户信息。合并过的工单一起保存。",
        "en": "A held record stays beyond its retention period and cannot be erased. Merged "
        "tickets are held together.",
    },
    "erasure.held": {
        "zh-CN": "近一年设置、仍在保存的工单",
        "en": "Held by an act of the last year",
    },
    "erasure.none_held": {
        "zh-CN": "近一年没有设置延期保存的工单。",
        "en": "No ticket is held by an act of the last year.",
    },
    "erasure.number": {"zh-CN": "工单号", "en": "Ticket number"},
    "erasure.reason": {"zh-CN": "原因", "en": "Reason"},
    "erasure.reason_hint": {
        "zh-CN": "写入工单历史，请勿写客户信息",
        "en": "kept in the ticket’s history: nothing about the customer",
    },
    "erasure.since": {"zh-CN": "设置时间", "en": "Since"},
    "erasure.by": {"zh-CN": "设置人", "en": "By"},
    "erasure.release": {"zh-CN": "解除", "en": "Release"},
    "erasure.release_of": {"zh-CN": "解除 {number} 的原因", "en": "Why release {number}"},
    "erasure.release_heading": {"zh-CN": "解除保存", "en": "Release a hold"},
    "erasure.hold": {"zh-CN": "设置延期保存", "en": "Set a hold"},
    "erasure.set": {"zh-CN": "设置", "en": "Hold"},
    "erasure.done_hold": {"zh-CN": "{number} 已延期保存。", "en": "{number} is held."},
    "erasure.done_release": {
        "zh-CN": "{number} 已解除，按原期限保存。",
        "en": "{number} is no longer held.",
    },
    "erasure.erase": {"zh-CN": "删除客户个人信息", "en": "Erase a customer’s personal data"},
    "erasure.erase_note": {
        "zh-CN": "先列出将删除的内容，再次输入工单号后才删除。删除后无法恢复。",
        "en": "First you see what is erased; then you type the number once more. It cannot be "
        "undone.",
    },
    "erasure.look": {"zh-CN": "查看将删除的内容", "en": "Show what is erased"},
    "erasure.no_ticket": {
        "zh-CN": "没有这张工单，请检查工单号",
        "en": "there is no such ticket: check the number",
    },
    "erasure.title": {
        "zh-CN": "删除 {number} 的客户个人信息",
        "en": "Erase the personal data of {number}",
    },
    "erasure.together": {"zh-CN": "将删除的工单", "en": "Erased together"},
    "erasure.received": {"zh-CN": "受理时间", "en": "Received"},
    "erasure.customer": {"zh-CN": "客户", "en": "Customer"},
    "erasure.entries": {"zh-CN": "记录", "en": "Entries"},
    "erasure.files": {"zh-CN": "附件与邮件", "en": "Files and mails"},
    "erasure.status": {"zh-CN": "状态", "en": "Status"},
    "erasure.goes": {"zh-CN": "会删除", "en": "What goes"},
    "erasure.goes_texts": {
        "zh-CN": "姓名、联系方式、全部文字和原文、草稿、附件与邮件，及其所有历史版本",
        "en": "name, contact, all texts and originals, drafts, files and mails, with all their "
        "versions",
    },
    "erasure.goes_elsewhere": {
        "zh-CN": "检索、报表中的产品、归档文件、聊天和改进建议里的相应内容",
        "en": "what search, reports, the archive, chats and proposals have of it",
    },
    "erasure.goes_contact": {
        "zh-CN": "此联系方式没有其他工单，一并忘记",
        "en": "the contact, which has no other ticket, is forgotten too",
    },
    "erasure.contact_stays": {
        "zh-CN": "此联系方式还有 {n} 张工单，不在删除范围内",
        "en": "further tickets of the contact, which stay: {n}",
    },
    "erasure.stays": {"zh-CN": "会保留", "en": "What stays"},
    "erasure.stays_figures": {
        "zh-CN": "类型、时间、处理人、评分等统计数字，以及本次删除的记录和原因",
        "en": "type, times, handler, score and other figures, and the record of this erasure with "
        "its reason",
    },
    "erasure.stays_others": {
        "zh-CN": "合并在一起的其他客户的工单：{numbers}",
        "en": "merged tickets of other customers: {numbers}",
    },
    "erasure.stays_sent": {
        "zh-CN": "已发出的邮件和短信；备份中的内容 35 天内自行过期",
        "en": "mails and text messages already sent; backups, which expire within 35 days",
    },
    "erasure.is_held": {
        "zh-CN": "{number} 正在延期保存，不能删除。请先解除。",
        "en": "{number} is held and cannot be erased. Release it first.",
    },
    "erasure.held_why": {"zh-CN": "保存原因：{reason}", "en": "The reason of the hold: {reason}"},
    "erasure.already": {
        "zh-CN": "客户信息已删除。如果上次中断，可以再删除一次以补全。",
        "en": "The personal data is erased. If the last run was interrupted, run it again to "
        "complete it.",
    },
    "erasure.confirm": {
        "zh-CN": "再次输入工单号 {number}",
        "en": "Type the number {number} once more",
    },
    "erasure.wrong_number": {
        "zh-CN": "与 {number} 不一致，未删除任何内容",
        "en": "this is not {number}; nothing has been erased",
    },
    "erasure.yes": {"zh-CN": "永久删除", "en": "Erase for good"},
    "erasure.done": {"zh-CN": "客户个人信息已删除", "en": "The personal data is erased"},
    "erasure.done_note": {
        "zh-CN": "统计数字和本次删除的记录仍在。",
        "en": "The figures and the record of this erasure stay.",
    },
    "erasure.again": {"zh-CN": "删除还没有完成", "en": "The erasure is not complete yet"},
    "erasure.again_note": {
        "zh-CN": "内容较多，或有消息正在发送。两分钟后请再点一次，会接着完成；重复执行不会出错。",
        "en": "There is much to erase, or a message is being sent. Press again in two minutes: it "
        "goes on where it stopped, and may be run any number of times.",
    },
    "erasure.run_again": {"zh-CN": "继续删除", "en": "Go on erasing"},
    "erasure.back": {"zh-CN": "返回保全与删除", "en": "Back to holds and erasure"},
    "erasure.open_audit": {
        "zh-CN": "更早的见查阅记录",
        "en": "Older ones are in the audit",
    },
}
