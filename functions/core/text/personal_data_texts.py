"""The meaning of the keys of a customer's export, for the customer who reads it."""

from functions.core.domain.personal_data import PersonalData
from functions.core.domain.rules import Locale

KINDS: dict[PersonalData, dict[Locale, str]] = {
    PersonalData.CUSTOMER: {
        "zh-CN": "已核实属于您本人的各个联系方式，以及核实的时间和方式",
        "en": "the contacts that were proven to be yours, when and how",
    },
    PersonalData.CONTACTS: {
        "zh-CN": "您的每个联系方式：客户等级、能否送达、相关工单",
        "en": "each of your contacts: its class, whether messages arrive, its tickets",
    },
    PersonalData.TICKETS: {
        "zh-CN": "您的工单：状态、对话、处理过程和发给您的消息；originals 是被遮盖文字的原文",
        "en": "your tickets: state, conversation, handling, and the messages sent to you; "
        "`originals` has the texts that are stored masked",
    },
    PersonalData.FILES: {
        "zh-CN": "您发来或收到的邮件和文件的清单",
        "en": "the mails and files that you sent or were sent",
    },
    PersonalData.PHONE_CALLS: {
        "zh-CN": "您与呼叫中心的通话：时间、接听情况和通话文字，保存 90 天",
        "en": "your calls with the call centre: times, who answered, what was said; kept for "
        "90 days",
    },
    PersonalData.CHATS: {"zh-CN": "您与智能助手的对话", "en": "your chats with the assistant"},
    PersonalData.QUESTIONS: {
        "zh-CN": "您在对话中提出的问题及其结果，保存 35 天",
        "en": "the questions you asked in chats and what came of them, kept for 35 days",
    },
    PersonalData.DRAFTS: {
        "zh-CN": "客服尚未发出的草稿",
        "en": "what agents were writing about your tickets and have not sent",
    },
    PersonalData.SUMMARIES: {
        "zh-CN": "语言模型为客服写的工单摘要",
        "en": "summaries of your tickets that a language model wrote for agents",
    },
    PersonalData.JOURNAL: {
        "zh-CN": "工单文字的副本，按到达时间排列，保存 35 天",
        "en": "a copy of the tickets' words in order of arrival, kept for 35 days",
    },
    PersonalData.SEARCH: {
        "zh-CN": "工单文字的副本，供客服搜索",
        "en": "a copy of the tickets' words, by which agents search",
    },
    PersonalData.FACTS: {
        "zh-CN": "工单的时间、类型和评分的副本，供统计使用",
        "en": "a copy of the tickets' times, types and scores, for statistics",
    },
    PersonalData.QUOTES: {
        "zh-CN": "报表和改进建议中引用的问题",
        "en": "questions quoted in reports and in proposals for articles",
    },
    PersonalData.ARCHIVE: {
        "zh-CN": "已办结工单的存档副本",
        "en": "a copy of each finished ticket, for the record",
    },
}

DERIVED: dict[str, dict[Locale, str]] = {
    "consents": {
        "zh-CN": "您同意隐私说明的时间和版本",
        "en": "when you agreed to which version of the privacy notice",
    },
    "surveys": {"zh-CN": "您的评价", "en": "your scores and comments"},
    "calls": {"zh-CN": "打给您的电话", "en": "the calls that were made to you"},
    "classes": {"zh-CN": "您的客户等级的变更", "en": "changes of your customer class"},
    "opened": {
        "zh-CN": "谁在何时、因何原因查看了您的原文或联系方式，包括本次导出",
        "en": "who opened an original or your contact, when and why, this export included",
    },
    "audit": {
        "zh-CN": "与您的工单有关的管理操作：操作者、时间、内容",
        "en": "administrative acts on your tickets: who did what, and when",
    },
    "copies": {
        "zh-CN": "另外保存的副本，内容与以上相同",
        "en": "what is stored in further copies, with the same content",
    },
}
"""Keys whose entries are also in the tickets, gathered for the reader."""
