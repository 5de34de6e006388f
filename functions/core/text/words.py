"""The product's own texts in each language.

The texts of a desk (types, statuses, teams, messages) are in its playbook, the label of an event on
its class.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from functions.core.domain.events import Event, StepTaken
from functions.core.domain.rules import LOCALES, CustomerTerm, Locale, Playbook, Term
from functions.core.domain.ticket import Ticket

TEXTS: dict[str, dict[Locale, str]] = {
    "page.skip": {"zh-CN": "跳到正文", "en": "Skip to content"},
    "page.other_language": {"zh-CN": "English", "en": "中文"},
    "proposal.solution": {"zh-CN": "（请填写答案后发布）", "en": "(write an answer, then publish)"},
    "chat.offer": {"zh-CN": "您想问的是哪一个？", "en": "Which of these do you mean?"},
    "chat.offer.hint": {"zh-CN": "请回复序号", "en": "Reply with the number"},
    "chat.person": {"zh-CN": "转人工", "en": "Talk to a person"},
    "chat.none": {"zh-CN": "都不是", "en": "None of these"},
    "chat.miss": {
        "zh-CN": "抱歉，没有完全明白。请换个说法再说一次，或回复“转人工”。",
        "en": "Sorry, I did not quite get that. Please say it another way, or ask for a person.",
    },
    "chat.rate": {
        "zh-CN": "这样回答有帮助吗？请评1–5分，5分最好。",
        "en": "Did this help? Please rate it from 1 to 5; 5 is best.",
    },
    "chat.thanks": {
        "zh-CN": "不客气。还有其他问题，可以直接问。",
        "en": "You are welcome. If there is anything else, just ask.",
    },
    "chat.goodbye": {
        "zh-CN": "好的，再见。有需要随时找我们。",
        "en": "All right, goodbye. We are here whenever you need us.",
    },
    "chat.rated": {
        "zh-CN": "感谢您的评价。还有其他问题，可以直接问。",
        "en": "Thank you for the rating. If there is anything else, just ask.",
    },
    "chat.ask": {
        "zh-CN": "请告诉我{name}，以便为您查询。",
        "en": "Please tell me your {name}, so that I can look it up.",
    },
    "chat.ask_again": {
        "zh-CN": "没有查到{name}“{value}”。请核对后再发一次。",
        "en": 'Nothing was found for the {name} "{value}". Please check it and send it again.',
    },
    "chat.handed_over": {
        "zh-CN": "已为您转接人工，工单号{number}。我们会在{at}前联系您；"
        "您说过的内容都已转告，无需重复。",
        "en": "A person takes over now; your request is {number}. You will hear from us by {at}. "
        "All you said is passed on, so there is no need to repeat it.",
    },
    "chat.handed_over_closed": {
        "zh-CN": "已为您转接人工，工单号{number}。现在是非服务时间，"
        "我们最迟在{at}开始服务后联系您；您说过的内容都已转告，无需重复。",
        "en": "Your request {number} is with our team. We are closed now and will be in touch when "
        "we open, {at}, at the latest. All you said is passed on.",
    },
    "chat.handed_over_untimed": {
        "zh-CN": "已为您转接人工，工单号{number}。您说过的内容都已转告，无需重复。",
        "en": "A person takes over now; your request is {number}. All you said is passed on.",
    },
    "chat.reason.asked": {"zh-CN": "客户要求人工服务", "en": "The customer asked for a person"},
    "chat.reason.misses": {"zh-CN": "多次未找到答案", "en": "No answer was found"},
    "chat.reason.rating": {"zh-CN": "客户对答案评价较低", "en": "The answer was rated poor"},
    "chat.reason.rule": {"zh-CN": "紧急或情绪不佳", "en": "Urgent, or the customer is upset"},
    "chat.reason.article": {"zh-CN": "需要人工办理", "en": "Only a person can do this"},
    "chat.reason.look_up": {"zh-CN": "信息未能查到", "en": "It could not be looked up"},
    "chat.reason.engine": {"zh-CN": "智能助手暂不可用", "en": "The assistant was unavailable"},
    "chat.reason.unreadable": {
        "zh-CN": "图片、语音等内容需人工查看",
        "en": "A picture or the like, for a person to look at",
    },
    "chat.no_words": {"zh-CN": "客户请求人工服务", "en": "The customer asks for a person"},
    "verify.invitation": {
        "zh-CN": "首次咨询可发送手机号或邮箱验证身份，便于查到您以往的请求；也可以直接提问。",
        "en": "New here? Send your phone number or e-mail address to be recognised, so that we "
        "find your earlier requests. Or just ask.",
    },
    "verify.message": {
        "zh-CN": "验证码{code}，10分钟内有效。如非本人操作，请忽略。",
        "en": "Your code is {code}, valid for 10 minutes. If you did not ask for it, ignore this.",
    },
    "verify.subject": {"zh-CN": "您的验证码", "en": "Your verification code"},
    "verify.sent": {
        "zh-CN": "验证码已发送至{contact}，10分钟内有效。请回复6位验证码，也可以直接提问。",
        "en": "A code was sent to {contact}, valid for 10 minutes. Reply with its 6 digits, or "
        "just ask your question.",
    },
    "verify.verified": {
        "zh-CN": "已验证{contact}，谢谢。请继续说您的问题。",
        "en": "{contact} is verified, thank you. Please go on.",
    },
    "verify.requests": {
        "zh-CN": "您正在处理的请求：\n{numbers}",
        "en": "Your open requests:\n{numbers}",
    },
    "verify.wrong": {
        "zh-CN": "验证码不正确，还可以试{left}次。",
        "en": "That is not the code. Attempts left: {left}.",
    },
    "verify.refused": {
        "zh-CN": "验证码多次不正确，已失效。可以重新发送手机号或邮箱，也可以直接提问。",
        "en": "Too many wrong codes; this one has ended. Send your phone number or e-mail address "
        "again, or just ask.",
    },
    "verify.expired": {
        "zh-CN": "验证码已过期。可以重新发送手机号或邮箱，也可以直接提问。",
        "en": "The code has expired. Send your phone number or e-mail address again, or just ask.",
    },
    "verify.limit": {
        "zh-CN": "验证码发送次数过多，请一小时后再试；也可以直接提问。",
        "en": "Too many codes were sent. Try again in an hour, or just ask.",
    },
    "verify.unreachable": {
        "zh-CN": "验证码发送不到这个号码或邮箱，请换一个；也可以直接提问。",
        "en": "No code can be sent there. Try another number or address, or just ask.",
    },
    "time.provisional": {
        "zh-CN": "（暂定，以官方放假安排为准）",
        "en": " (subject to the official holidays)",
    },
    "page.colon": {"zh-CN": "：", "en": ": "},
    "message.for_person": {"zh-CN": "致 {name}：\n\n", "en": "For {name}:\n\n"},
    "message.files": {"zh-CN": "附件：{files}", "en": "Files: {files}"},
    "message.files.linked": {
        "zh-CN": "附件：{files}，请在此查看：{link}",
        "en": "Files: {files}. Open them here: {link}",
    },
    "page.you": {"zh-CN": "您", "en": "You"},
    "form.quarantined": {
        "zh-CN": "您的请求已收到。目前提交量异常，工作人员核对后会为您建立工单，请勿重复提交。",
        "en": "We have received your request. There are unusually many at the moment: "
        "somebody will look at yours and give it a number. Please do not send it again.",
    },}  # fmt: skip
"""Key → text."""


MESSAGE_LABELS: dict[str, dict[Locale, str]] = {
    "image": {"zh-CN": "图片", "en": "image"},
    "voice": {"zh-CN": "语音", "en": "voice message"},
    "video": {"zh-CN": "视频", "en": "video"},
    "file": {"zh-CN": "文件", "en": "file"},
    "sticker": {"zh-CN": "表情", "en": "sticker"},
    "location": {"zh-CN": "位置", "en": "location"},
    "link": {"zh-CN": "链接", "en": "link"},
    "other": {"zh-CN": "其他消息", "en": "message of another kind"},
    "subscribed": {
        "zh-CN": "客户已关注或进入会话",
        "en": "The customer subscribed or opened the chat",
    },
    "unsubscribed": {"zh-CN": "客户已取消关注", "en": "The customer unsubscribed"},
    "menu": {"zh-CN": "客户点击菜单", "en": "The customer chose from the menu"},
    "colleague": {"zh-CN": "同事在该渠道回复", "en": "A colleague answered on the channel"},
    "recalled": {"zh-CN": "消息已撤回", "en": "A message was taken back"},
    "session": {"zh-CN": "会话变更", "en": "The session changed"},
}
"""Kind of a chat message → label before its text, or in place of a missing text."""

EMPTY: dict[Locale, str] = {"zh-CN": "（无内容）", "en": "(empty)"}
"""The text of a mail without text."""

LIST_SEPARATOR: dict[Locale, str] = {"zh-CN": "、", "en": ", "}


Refusal = Literal["limit", "signature", "text", "blocked", "number", "price"]
"""The reasons why a provider refused a registered text, of those that people can right."""

_REFUSED: dict[Refusal, dict[Locale, str]] = {
    "limit": {
        "zh-CN": "该号码或本账号的短信发送已达服务商上限，此条未发送（{0}）。",
        "en": "The provider's limit for this number or for the account is reached: this one was "
        "not sent ({0}).",
    },
    "signature": {
        "zh-CN": "短信签名未通过审核或不存在，请管理员核对（{0}）。",
        "en": "The provider does not know the signature of the text, or has not approved it ({0}).",
    },
    "text": {
        "zh-CN": "报备的短信模板或变量不符合要求，请管理员核对（{0}）。",
        "en": "The provider does not accept the registered text, or a value in it ({0}).",
    },
    "blocked": {
        "zh-CN": "该号码已退订或在黑名单中，请用其他方式联系客户（{0}）。",
        "en": "The number has opted out or is blocked. Contact the customer another way ({0}).",
    },
    "number": {
        "zh-CN": "号码无效，请先更正联系方式（{0}）。",
        "en": "The number is not valid. Correct the contact first ({0}).",
    },
    "price": {
        "zh-CN": "此条短信超过价格上限，未发送（{0}）。",
        "en": "The message costs more than the desk pays for one: it was not sent ({0}).",
    },
}

DELIVERY_REASONS: tuple[tuple[str, dict[Locale, str]], ...] = (
    (
        r"outside the window of \w+, sent by email instead",
        {
            "zh-CN": "已超出该渠道的回复时限或条数，已改发到客户的邮箱。",
            "en": "Outside the time or the number of messages that the channel allows: "
            "sent by e-mail instead.",
        },
    ),
    (
        r"outside the window of \w+, sent by sms instead",
        {
            "zh-CN": "已超出该渠道的回复时限或条数，已改发短信给客户。",
            "en": "Outside the time or the number of messages that the channel allows: "
            "sent as a text message instead.",
        },
    ),
    (
        r"outside the window of \w+, not sent",
        {
            "zh-CN": "已超出该渠道的回复时限或条数，此条未发送。客户须再次来信，"
            "或请用其他方式联系客户。",
            "en": "Outside the time or the number of messages that the channel allows: this one "
            "was not sent. The customer has to write again, or contact them another way.",
        },
    ),
    (
        r"withheld: the desk sends no text messages to this number's country.*",
        {
            "zh-CN": "本服务台不向该号码所在的国家或地区发送短信，请用其他方式联系客户。",
            "en": "The desk sends no text messages to this number's country. "
            "Contact the customer another way.",
        },
    ),
    (
        r"withheld: not a mobile number.*",
        {
            "zh-CN": "该号码不是手机号码，无法接收短信，请用其他方式联系客户。",
            "en": "This is not a mobile number and cannot receive text messages. "
            "Contact the customer another way.",
        },
    ),
    (
        r"capped: (\d+) automatic text messages within (\w+) to this number",
        {
            "zh-CN": "该号码未经验证，{1}内自动短信已达上限（{0}条），此条未发送。",
            "en": "Nobody has proven this number, and it got its {0} automatic text messages "
            "within {1}: this one was not sent.",
        },
    ),
    (
        r"capped: (\d+) text messages of this desk today",
        {
            "zh-CN": "本服务台今日短信已达上限（{0}条），此条未发送。",
            "en": "The desk has sent its {0} text messages of today: this one was not sent.",
        },
    ),
    (
        r"capped: (\d+) automatic mails within (\w+) (?:about this ticket|to this address)",
        {
            "zh-CN": "{1}内自动邮件已达上限（{0}封），此封未发送。",
            "en": "{0} automatic mails went out within {1}: this one was not sent.",
        },
    ),
    (
        r"blocked: (.*); correct the contact first",
        {
            "zh-CN": "邮件无法送达（{0}），请先更正联系方式。",
            "en": "Mail does not arrive ({0}). Correct the contact first.",
        },
    ),
    (
        r"reported: (.*)",
        {
            "zh-CN": "服务商报告未送达：{0}",
            "en": "The provider reports that it did not arrive: {0}",
        },
    ),
    *((rf"refused \({kind}\): (.*)", said) for kind, said in _REFUSED.items()),
)
"""Pattern of a delivery's cause → what agents read. Other causes are a provider's own words."""


def delivery_reason(cause: str, locale: Locale) -> str:
    """Say why a message was not sent."""
    for pattern, text in DELIVERY_REASONS:
        if match := re.fullmatch(pattern, cause):
            return text[locale].format(*match.groups())
    return cause


def say(key: str, locale: Locale, **values: str) -> str:
    """The text under `key` with its `{placeholders}` filled in.

    Raises:
        KeyError: there is no such key.
    """
    return TEXTS[key][locale].format(**values)


def event_label(event: Event, playbook: Playbook, locale: Locale) -> str:
    """The label of an event in a timeline; the desk labels its own steps (D10, D11)."""
    if isinstance(event, StepTaken) and event.step in playbook.steps:
        return playbook.steps[event.step].label[locale]
    return event.label[locale]


def customer_event_label(event: Event, playbook: Playbook, locale: Locale) -> str:
    own = customer_label(playbook.steps, getattr(event, "step", None), locale)
    return own or event_label(event, playbook, locale)


def label(terms: Mapping[str, object], key: str | None, locale: Locale) -> str:
    """The label of a term of the playbook; a term that it no longer has is shown by its key."""
    if key is None:
        return ""
    term = terms.get(key)
    return term.label[locale] if isinstance(term, Term) else key


def customer_label(
    terms: Mapping[str, CustomerTerm], key: str | None, locale: Locale
) -> str | None:
    """The label by which customers read a tag or a priority; None for an internal one."""
    term = terms.get(key or "")
    return term.customer_label[locale] if term and term.customer_label else None


def customer_tags(tags: Iterable[str], playbook: Playbook, locale: Locale) -> list[str]:
    """The labels of those tags that customers read, each once."""
    labels = (customer_label(playbook.tags, tag, locale) for tag in tags)
    return list(dict.fromkeys(each for each in labels if each))


def customer_status(status: str, playbook: Playbook, locale: Locale) -> str:
    """The label of a status for customers."""
    own = customer_label(playbook.statuses, status, locale)
    return own or label(playbook.statuses, status, locale)


def handler_for_customer(ticket: Ticket, playbook: Playbook, locale: Locale) -> str | None:
    """The handler as customers read it: the display name, else the team."""
    if ticket.handler is None:
        return None
    return ticket.handler_name or label(playbook.teams, ticket.team, locale)


def nearest_locale(tag: str | None) -> Locale | None:
    """The supported language of a language tag (`zh`, `zh-Hans`, `en-GB`), None for any other."""
    prefix = (tag or "").strip().casefold()
    return next((known for known in LOCALES if prefix.startswith(known[:2])), None)


def accepted_locale(header: str | None) -> Locale | None:
    """The supported language that `Accept-Language` prefers; None if it names none (RFC 9110)."""
    wanted: dict[Locale, float] = {}
    for part in (header or "")[:_READ].split(","):
        tag, _, parameters = part.partition(";")
        known = nearest_locale(tag)
        if known and weight(parameters) > wanted.get(known, 0):
            wanted[known] = weight(parameters)
    return max(wanted, key=lambda known: wanted[known], default=None)


def weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_ADDRESS = re.compile(r"\S*(?:@|://)\S*")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}")
_ENOUGH_WORDS = 3
_READ = 2000


def written_in(text: str) -> Locale | None:
    """The language in which to answer a text; None if the text does not show it.

    Chinese characters mean Chinese, unless kana make them Japanese. A few words in Latin letters
    without any Chinese mean English; names and addresses alone do not count.
    """
    start = _ADDRESS.sub(" ", text[:_READ])
    if _HAN.search(start):
        return None if _KANA.search(start) else "zh-CN"
    words = _LATIN_WORD.finditer(start)
    return "en" if sum(1 for _ in words) >= _ENOUGH_WORDS else None
