"""The texts of the workbench's pages in each language (`docs/voice.md`)."""

from functions.core.domain.rules import Locale
from functions.core.text import (
    audit_texts,
    board_texts,
    call_texts,
    composer_texts,
    erasure_texts,
    figure_texts,
    knowledge_texts,
    playbook_texts,
    quarantine_texts,
    queue_texts,
    roster_texts,
    ticket_texts,
)

TEXTS: dict[str, dict[Locale, str]] = {
    # Sign-in
    "sign_in.title": {"zh-CN": "登录", "en": "Sign in"},
    "sign_in.username": {"zh-CN": "用户名", "en": "Username"},
    "sign_in.password": {"zh-CN": "密码", "en": "Password"},
    "sign_in.code": {"zh-CN": "验证器上的 6 位数字", "en": "The six digits of your authenticator"},
    "sign_in.code_title": {"zh-CN": "还差一步", "en": "One more step"},
    "sign_in.first_title": {"zh-CN": "设置您的密码", "en": "Choose your password"},
    "sign_in.first": {
        "zh-CN": "您用的是临时密码，请换成只有您知道的密码。",
        "en": "Your password is a temporary one. Choose one that only you know.",
    },
    "sign_in.new_password": {"zh-CN": "新密码", "en": "New password"},
    "sign_in.rules": {
        "zh-CN": "至少 12 个字符，含大写字母、小写字母和数字。",
        "en": "At least 12 characters, with a capital letter, a small letter and a digit.",
    },
    "sign_in.submit": {"zh-CN": "登录", "en": "Sign in"},
    "sign_in.continue": {"zh-CN": "继续", "en": "Continue"},
    "sign_in.restart": {"zh-CN": "换个账号登录", "en": "Sign in as somebody else"},
    "sign_in.ended": {
        "zh-CN": "会话已结束。重新登录后会接着做刚才的事，已输入的内容都在。",
        "en": "The session has ended. Sign in to go on; what you typed is still there.",
    },
    "sign_in.no_desk": {
        "zh-CN": "您的账号不在任何服务台的坐席名册上。请联系管理员。",
        "en": "Your account is not on the roster of any desk. Ask an administrator.",
    },
    "sign_out": {"zh-CN": "退出", "en": "Sign out"},
    # Authenticator
    "authenticator.title": {"zh-CN": "验证器", "en": "Authenticator"},
    "authenticator.why": {
        "zh-CN": "启用后，登录时除了密码还要输入手机验证器上的 6 位数字。",
        "en": "Signing in then takes six digits on your phone beside the password.",
    },
    "authenticator.secret": {
        "zh-CN": "在验证器里选择“手动输入密钥”，填入：",
        "en": "In the authenticator choose to enter a key, and type:",
    },
    "authenticator.uri": {
        "zh-CN": "在本机的验证器中打开",
        "en": "Open in this device’s authenticator",
    },
    "authenticator.confirm": {"zh-CN": "启用", "en": "Turn on"},
    "authenticator.done": {
        "zh-CN": "验证器已启用。下次登录时会要求输入 6 位数字。",
        "en": "The authenticator is on. Your next sign-in asks for its six digits.",
    },
    "back": {"zh-CN": "返回", "en": "Back"},
    # The shell
    "workbench.queue": {"zh-CN": "队列", "en": "Queue"},
    "workbench.context": {"zh-CN": "背景", "en": "Context"},
    "workbench.pages": {"zh-CN": "页面", "en": "Pages"},
    "workbench.notices": {"zh-CN": "提示", "en": "Messages"},
    "workbench.menu": {"zh-CN": "我的菜单", "en": "My menu"},
    "workbench.nothing_open": {
        "zh-CN": "从左边的队列里打开一张工单",
        "en": "Open a ticket from the queue",
    },
    "workbench.new": {"zh-CN": "新建", "en": "New"},
    "workbench.help": {"zh-CN": "快捷键与设置", "en": "Keys and settings"},
    "workbench.go_to": {"zh-CN": "切换到{name}", "en": "Go to {name}"},
    "workbench.home": {"zh-CN": "回到队列", "en": "Back to the queue"},
    "search.field": {"zh-CN": "搜索工单、内容、尾号…", "en": "Search tickets, words, last digits…"},
    "page.board": {"zh-CN": "看板", "en": "Board"},
    "page.reports": {"zh-CN": "报表", "en": "Reports"},
    "page.knowledge": {"zh-CN": "知识库", "en": "Knowledge"},
    "page.roster": {"zh-CN": "坐席名册", "en": "Roster"},
    "page.playbook": {"zh-CN": "手册", "en": "Playbook"},
    "page.quarantine": {"zh-CN": "隔离", "en": "Quarantine"},
    "page.costs": {"zh-CN": "费用", "en": "Costs"},
    "page.channels": {"zh-CN": "渠道", "en": "Channels"},
    "page.webhooks": {"zh-CN": "回调", "en": "Webhooks"},
    "page.audit": {"zh-CN": "查阅记录", "en": "Audit"},
    "page.erasure": {"zh-CN": "保全与删除", "en": "Holds and erasure"},
    "workbench.more": {"zh-CN": "更多", "en": "More"},
    "close": {"zh-CN": "关闭", "en": "Close"},
    # Presence
    "presence.online": {"zh-CN": "在线", "en": "Online"},
    "presence.offline": {"zh-CN": "离线", "en": "Offline"},
    "presence.count": {
        "zh-CN": "{all} 位坐席中 {online} 位在线",
        "en": "{online} of {all} agents online",
    },
    "presence.now_online": {
        "zh-CN": "新工单会分配给您。",
        "en": "New tickets are assigned to you.",
    },
    "presence.now_offline": {
        "zh-CN": "您离线时不会分到新工单。",
        "en": "While you are offline no ticket is assigned to you.",
    },
    "presence.hands_over": {
        "zh-CN": "离线即交班，您手上的工单会转给同事。",
        "en": "Going offline ends your shift: your tickets go to colleagues.",
    },
    "presence.go_online": {"zh-CN": "开始接单", "en": "Go online"},
    "presence.go_offline": {"zh-CN": "停止接单", "en": "Go offline"},
    # Keys
    "key.move": {"zh-CN": "在队列中移动", "en": "Move in the queue"},
    "key.enter": {"zh-CN": "打开工单", "en": "Open the ticket"},
    "key.r": {"zh-CN": "回复", "en": "Reply"},
    "key.n": {"zh-CN": "内部备注", "en": "Note"},
    "key.c": {"zh-CN": "协同", "en": "Collaborate"},
    "key.a": {"zh-CN": "分配", "en": "Assign"},
    "key.t": {"zh-CN": "标签", "en": "Tag"},
    "key.s": {"zh-CN": "更多操作", "en": "Actions"},
    "key.e": {"zh-CN": "解决", "en": "Resolve"},
    "key.m": {"zh-CN": "合并", "en": "Merge"},
    "key.x": {"zh-CN": "多选", "en": "Select"},
    "key.u": {"zh-CN": "显示新变化", "en": "Show what has changed"},
    "key.slash": {"zh-CN": "搜索", "en": "Search"},
    "key.g_q": {"zh-CN": "回到队列", "en": "Go to the queue"},
    "key.g_b": {"zh-CN": "打开看板", "en": "Go to the board"},
    "key.g_s": {"zh-CN": "打开搜索页", "en": "Go to the search page"},
    "key.help": {"zh-CN": "快捷键与设置", "en": "Keys and settings"},
    "key.escape": {"zh-CN": "返回、关闭", "en": "Back, close"},
    "key.send": {"zh-CN": "发送", "en": "Send"},
    "key.send_next": {"zh-CN": "发送并打开下一张", "en": "Send and open the next one"},
    "key.palette": {"zh-CN": "所有命令", "en": "All commands"},
    "palette.title": {"zh-CN": "输入命令或工单号", "en": "Type a command or a ticket number"},
    # Settings of this browser
    "settings.title": {"zh-CN": "本浏览器的设置", "en": "Settings of this browser"},
    "settings.keys": {"zh-CN": "启用单键快捷键", "en": "Single keys"},
    "settings.sound": {
        "zh-CN": "有新工单或快到时限时响一声",
        "en": "A sound for new tickets and near deadlines",
    },
    "settings.desktop": {
        "zh-CN": "有新工单或快到时限时弹出桌面通知",
        "en": "A desktop notification for new tickets and near deadlines",
    },
    "settings.test": {"zh-CN": "试一下", "en": "Test"},
    "settings.note": {
        "zh-CN": "只提醒您自己的工单，只显示工单号，不显示客户信息。",
        "en": "For your own tickets only. It shows the number and nothing about the customer.",
    },
    # What the script says
    "script.changes": {"zh-CN": "{count} 条新变化", "en": "{count} new changes"},
    "script.offline": {
        "zh-CN": "网络已断开。您输入的内容都在，恢复后可以继续发送。",
        "en": "You are offline. What you typed is kept; you can send it once you are back.",
    },
    "script.ended": {
        "zh-CN": "会话已结束，请重新登录。",
        "en": "The session has ended. Sign in again.",
    },
    "script.sign_in": {"zh-CN": "登录", "en": "Sign in"},
    "script.failed": {
        "zh-CN": "没有成功，请再试一次。",
        "en": "That did not work. Please try again.",
    },
    "script.close": {"zh-CN": "关闭", "en": "Close"},
    "script.new_ticket": {"zh-CN": "{number} 分配给了您", "en": "{number} was assigned to you"},
    "script.changed": {"zh-CN": "{number} 有新变化", "en": "{number} has changed"},
    "script.near_due": {"zh-CN": "{number} 快到时限", "en": "{number} is nearly due"},
    "script.test": {"zh-CN": "提醒会是这样", "en": "Alerts look like this"},
    "script.denied": {
        "zh-CN": "浏览器不允许弹出通知，请在网站设置中开启。",
        "en": "The browser blocks notifications. Allow them in the site’s settings.",
    },
    "script.open_ticket": {"zh-CN": "打开 {number}", "en": "Open {number}"},
    "script.search": {"zh-CN": "搜索“{text}”", "en": "Search for “{text}”"},
    "script.updated": {"zh-CN": "这张工单有更新", "en": "This ticket has been updated"},
    # The first queue and ticket
}


TEXTS |= audit_texts.TEXTS
TEXTS |= board_texts.TEXTS
TEXTS |= call_texts.TEXTS
TEXTS |= composer_texts.TEXTS
TEXTS |= erasure_texts.TEXTS
TEXTS |= figure_texts.TEXTS
TEXTS |= knowledge_texts.TEXTS
TEXTS |= playbook_texts.TEXTS
TEXTS |= quarantine_texts.TEXTS
TEXTS |= queue_texts.TEXTS
TEXTS |= roster_texts.TEXTS
TEXTS |= ticket_texts.TEXTS

SCRIPT_TEXTS: tuple[str, ...] = tuple(key for key in TEXTS if key.startswith("script."))
"""The texts that scripts show (`deskbell.t`), those of the parts of a page too."""
