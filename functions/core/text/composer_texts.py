"""The texts of the composer in each language (`docs/voice.md`)."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "composer.label": {"zh-CN": "写回复或备注", "en": "Write a reply or a note"},
    "composer.frames": {"zh-CN": "写给谁", "en": "Written for"},
    "composer.reply": {"zh-CN": "回复", "en": "Reply"},
    "composer.reply_to": {"zh-CN": "回复 {name}（{channel}）", "en": "Reply to {name} ({channel})"},
    "composer.customer": {"zh-CN": "客户", "en": "the customer"},
    "composer.note": {"zh-CN": "内部备注", "en": "Internal note"},
    "composer.note_hint": {"zh-CN": "只有同事看得到", "en": "Only colleagues see this"},
    "composer.reply_hint": {"zh-CN": "写给客户的内容", "en": "What the customer will read"},
    "composer.language": {"zh-CN": "客户使用{language}", "en": "The customer writes {language}"},
    "composer.language.zh-CN": {"zh-CN": "中文", "en": "Chinese"},
    "composer.language.en": {"zh-CN": "英文", "en": "English"},
    "composer.send.reply": {"zh-CN": "发送", "en": "Send"},
    "composer.send.request-info": {
        "zh-CN": "发送并等客户补充",
        "en": "Send and wait for the customer",
    },
    "composer.send.note": {"zh-CN": "保存备注", "en": "Save note"},
    "composer.take": {"zh-CN": "领取", "en": "Take it"},
    "composer.saved": {"zh-CN": "已保存 {time}", "en": "Saved {time}"},
    "composer.suggested": {"zh-CN": "建议的回复", "en": "Suggested reply"},
    "composer.suggested_by": {
        "zh-CN": "建议的回复 · 知识库：{article}",
        "en": "Suggested reply · Article: {article}",
    },
    "composer.clear": {"zh-CN": "清空", "en": "Clear"},
    "composer.gaps": {"zh-CN": "待填写", "en": "To fill in"},
    "composer.files": {"zh-CN": "附件", "en": "Files"},
    "composer.add_file": {"zh-CN": "添加附件", "en": "Add a file"},
    "composer.from_merged": {
        "zh-CN": "已合并的 {number} 上有您的草稿",
        "en": "You have a draft on {number}, which was merged into this ticket",
    },
    "composer.insert": {"zh-CN": "插入", "en": "Insert it"},
    # Why a reply cannot be sent
    "composer.why.unassigned": {
        "zh-CN": "还没有人处理这张工单。领取之后即可发送，写好的内容会保留。",
        "en": "Nobody handles this ticket yet. Take it to send; what you write is kept.",
    },
    "composer.why.other": {
        "zh-CN": "由{name}处理，只有处理人可以回复。您写的内容会保留。",
        "en": "{name} handles this ticket and replies. What you write is kept.",
    },
    "composer.why.merged": {
        "zh-CN": "已合并，在 {number} 上继续。您的草稿也在那里。",
        "en": "Merged: it goes on as {number}, and so does your draft.",
    },
    "composer.why.status": {
        "zh-CN": "工单{status}，现在不能回复。您写的内容会保留。",
        "en": "No reply can be sent while the ticket is {status}. What you write is kept.",
    },
    "composer.why.right": {
        "zh-CN": "您不能回复这张工单。",
        "en": "You cannot reply to this ticket.",
    },
    # What came in between
    "composer.moved": {
        "zh-CN": "写这段文字之后，工单有了变化",
        "en": "The ticket has changed since you began to write",
    },
    "composer.send_anyway": {"zh-CN": "仍要发送", "en": "Send nevertheless"},
    "composer.edit": {"zh-CN": "继续编辑", "en": "Edit"},
    "composer.not_sent": {"zh-CN": "没有发送", "en": "Not sent"},
    "composer.two_windows": {
        "zh-CN": "另一个窗口改过这份草稿（{time}）",
        "en": "Another window changed this draft at {time}",
    },
    "composer.take_stored": {"zh-CN": "用那一份", "en": "Use that one"},
    "composer.keep_mine": {"zh-CN": "保留我这一份", "en": "Keep mine"},
    "composer.emptied": {"zh-CN": "（已清空）", "en": "(empty)"},
    # Channels
    "composer.by.sms": {"zh-CN": "短信", "en": "text message"},
    "composer.by.email": {"zh-CN": "邮件", "en": "mail"},
    "composer.by.call": {"zh-CN": "致电", "en": "call"},
    "composer.by.chat": {"zh-CN": "对话", "en": "chat"},
    "composer.by.wechat": {"zh-CN": "微信", "en": "WeChat"},
    # Phrases
    "phrases.label": {"zh-CN": "可用的文章和话术", "en": "Articles and phrases that fit"},
    "phrases.article": {"zh-CN": "知识库", "en": "Article"},
    "phrases.template": {"zh-CN": "话术", "en": "Phrase"},
    "phrases.hint": {"zh-CN": "↓ 选择，Enter 插入", "en": "↓ to choose, Enter to insert"},
}

SCRIPT_TEXTS: dict[str, dict[Locale, str]] = {
    "saved": {"zh-CN": "已保存 {time}", "en": "Saved {time}"},
    "unsaved": {"zh-CN": "尚未保存，联网后会自动保存", "en": "Not saved yet; saved once online"},
    "signed_out": {
        "zh-CN": "尚未保存，登录后会自动保存",
        "en": "Not saved yet; saved once you are signed in",
    },
    "sent.reply": {"zh-CN": "即将发送给客户", "en": "Going out to the customer"},
    "sent.request-info": {
        "zh-CN": "即将发送，并等客户补充",
        "en": "Going out; then we wait for the customer",
    },
    "sent.note": {"zh-CN": "备注即将保存", "en": "The note is about to be saved"},
    "undo": {"zh-CN": "撤回", "en": "Undo"},
    "undone": {"zh-CN": "已撤回，内容回到输入框", "en": "Taken back; the text is here again"},
    "too_late": {"zh-CN": "已经发出，无法撤回", "en": "It has gone out and cannot be taken back"},
    "done.reply": {"zh-CN": "已发送", "en": "Sent"},
    "done.request-info": {"zh-CN": "已发送，等客户补充", "en": "Sent; waiting for the customer"},
    "done.note": {"zh-CN": "备注已保存", "en": "Note saved"},
    "not_sent": {"zh-CN": "{number} 没有发送", "en": "{number} was not sent"},
    "look": {"zh-CN": "查看", "en": "Look"},
    "later": {
        "zh-CN": "网络中断，内容已保存，恢复后会自动发送",
        "en": "Offline: it is saved, and goes out once online",
    },
    "gaps": {"zh-CN": "还有 {count} 处没有填写", "en": "{count} gaps are not filled in"},
    "fill": {"zh-CN": "去填写", "en": "Fill in"},
    "gap": {"zh-CN": "待填写", "en": "to fill in"},
    "length": {
        "zh-CN": "{count} 字 · {parts} 条 · {price} 美元",
        "en": "{count} characters · {parts} parts · US${price}",
    },
    "length.one": {
        "zh-CN": "{count} 字 · 1 条 · {price} 美元",
        "en": "{count} characters · 1 part · US${price}",
    },
    "behind_link": {
        "zh-CN": "客户收到短信“{text}”，点开后看到您写的内容 · {price} 美元",
        "en": "The customer gets “{text}” and opens what you write · US${price}",
    },
    "too_long": {"zh-CN": "最多 {most} 条，请缩短", "en": "{most} parts at most: shorten it"},
    "characters": {"zh-CN": "{count} / {most} 字", "en": "{count} of {most} characters"},
    "typing": {"zh-CN": "{name}正在回复", "en": "{name} is writing"},
    "viewing": {"zh-CN": "{name}正在查看", "en": "{name} is looking at this"},
    "between": {"zh-CN": "、", "en": ", "},
    "uploading": {"zh-CN": "正在上传 {name}", "en": "Uploading {name}"},
    "remove": {"zh-CN": "移除 {name}", "en": "Remove {name}"},
    "upload_failed": {"zh-CN": "{name} 没有上传成功", "en": "{name} could not be uploaded"},
}
"""The texts that `composer.js` says itself, in the composer's `data-texts`."""
