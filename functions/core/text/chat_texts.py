"""The texts of the chat's page and of the button that opens it (`docs/voice.md`)."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "chat_page.title": {"zh-CN": "在线客服", "en": "Chat"},
    "chat_page.log": {"zh-CN": "对话", "en": "Conversation"},
    "chat_page.from.customer": {"zh-CN": "您", "en": "You"},
    "chat_page.from.assistant": {"zh-CN": "智能助手", "en": "Assistant"},
    "chat_page.from.agent": {"zh-CN": "客服专员", "en": "Our team"},
    "chat_page.from.system": {"zh-CN": "通知", "en": "Notice"},
    "chat_page.text": {"zh-CN": "消息", "en": "Message"},
    "chat_page.text.hint": {"zh-CN": "请输入您的问题", "en": "Write your message"},
    "chat_page.send": {"zh-CN": "发送", "en": "Send"},
    "chat_page.hand_over": {"zh-CN": "转人工", "en": "Ask for a person"},
    "chat_page.typing": {"zh-CN": "正在查找答案", "en": "Looking for the answer"},
    "chat_page.newer": {"zh-CN": "有新消息", "en": "New message"},
    "chat_page.close": {"zh-CN": "关闭对话", "en": "Close the chat"},
    "chat_page.sending": {"zh-CN": "发送中", "en": "Sending"},
    "chat_page.failed": {"zh-CN": "未发送", "en": "Not sent"},
    "chat_page.retry": {"zh-CN": "重试", "en": "Try again"},
    "chat_page.too_long": {
        "zh-CN": "一条消息最多1000字，请删去{n}字",
        "en": "A message has 1,000 characters at most; please remove {n}",
    },
    "chat_page.score": {"zh-CN": "{n}分", "en": "{n} of 5"},
    "chat_page.options": {"zh-CN": "选择一项", "en": "Choose one"},
    "chat_page.ticket": {"zh-CN": "工单号", "en": "Request"},
    "chat_page.status": {"zh-CN": "查看进度", "en": "See its progress"},
    "chat_page.agree": {
        "zh-CN": "发送即表示您同意{notice}（版本{version}）。",
        "en": "By sending a message you agree to the {notice} (version {version}).",
    },
    "chat_page.privacy": {"zh-CN": "隐私说明", "en": "privacy notice"},
    "chat_page.contact": {"zh-CN": "联系方式（选填）", "en": "Your contact (optional)"},
    "chat_page.contact.why": {
        "zh-CN": "验证后可查到以往的请求；离开本页后，我们也能联系到您。",
        "en": "Once verified, we find your earlier requests, and reach you after you leave.",
    },
    "chat_page.contact.name": {"zh-CN": "称呼", "en": "Name"},
    "chat_page.contact.contact": {"zh-CN": "手机号或邮箱", "en": "Phone number or e-mail"},
    "chat_page.contact.send": {"zh-CN": "发送验证码", "en": "Send a code"},
    "chat_page.contact.code": {"zh-CN": "6位验证码", "en": "The 6-digit code"},
    "chat_page.contact.check": {"zh-CN": "确认", "en": "Confirm"},
    "chat_page.contact.again": {"zh-CN": "换个号码或重新发送", "en": "Change it, or send again"},
    "chat_page.offline": {
        "zh-CN": "连接不上，请检查网络后重试。",
        "en": "There is no connection. Check your network, then try again.",
    },
    "chat_page.plain.title": {"zh-CN": "请给我们留言", "en": "Send us a message"},
    "chat_page.plain.script": {
        "zh-CN": "在线对话需要启用JavaScript。也可以直接提交请求，我们会按您留下的联系方式回复。",
        "en": "The chat needs JavaScript. You can send us a request without it; we reply to the "
        "contact that you leave.",
    },
    "chat_page.plain.none": {
        "zh-CN": "这里没有在线对话。请提交请求，我们会按您留下的联系方式回复。",
        "en": "There is no chat here. Send us a request; we reply to the contact that you leave.",
    },
    "chat_page.plain.form": {"zh-CN": "提交请求", "en": "Send a request"},
    "chat_page.plain.find": {"zh-CN": "查询已提交的请求", "en": "Find an earlier request"},
}

IN_SCRIPT = {
    "customer": "chat_page.from.customer",
    "assistant": "chat_page.from.assistant",
    "agent": "chat_page.from.agent",
    "system": "chat_page.from.system",
    "too_long": "chat_page.too_long",
    "score": "chat_page.score",
    "offline": "chat_page.offline",
}
"""The texts that the page's script puts in, by its names for them."""

BUTTON: dict[Locale, tuple[str, str]] = {
    "zh-CN": ("在线客服", "在线客服，有新消息"),
    "en": ("Chat with us", "Chat with us: new message"),
}
"""The label of the button on other sites, and the one after a new message."""
