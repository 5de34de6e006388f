"""The texts of the roster's pages."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "weekday.mon": {"zh-CN": "周一", "en": "Monday"},
    "weekday.tue": {"zh-CN": "周二", "en": "Tuesday"},
    "weekday.wed": {"zh-CN": "周三", "en": "Wednesday"},
    "weekday.thu": {"zh-CN": "周四", "en": "Thursday"},
    "weekday.fri": {"zh-CN": "周五", "en": "Friday"},
    "weekday.sat": {"zh-CN": "周六", "en": "Saturday"},
    "weekday.sun": {"zh-CN": "周日", "en": "Sunday"},
    "role.agent": {"zh-CN": "坐席", "en": "agent"},
    "role.supervisor": {"zh-CN": "主管", "en": "supervisor"},
    "role.qa": {"zh-CN": "质检", "en": "QA"},
    "role.finance": {"zh-CN": "财务", "en": "finance"},
    "role.admin": {"zh-CN": "管理员", "en": "administrator"},
    "roster.days": {"zh-CN": "{first}至{last}", "en": "{first} to {last}"},
    "roster.caption": {"zh-CN": "{n} 位在册", "en": "People: {n}"},
    "roster.person": {"zh-CN": "姓名", "en": "Name"},
    "roster.username": {"zh-CN": "用户名", "en": "Username"},
    "roster.username_hint": {
        "zh-CN": "登录用，不能更改",
        "en": "for signing in, never changes",
    },
    "roster.display_name": {"zh-CN": "客服称呼", "en": "Display name"},
    "roster.display_name_hint": {
        "zh-CN": "客户看到的称呼，例如 客服-张",
        "en": "what customers read, such as 客服-张",
    },
    "roster.email": {"zh-CN": "邮箱", "en": "Mail address"},
    "roster.email_hint": {
        "zh-CN": "只收与本人有关的通知，可不填",
        "en": "for what concerns this person alone; optional",
    },
    "roster.role": {"zh-CN": "角色", "en": "Role"},
    "roster.further_roles": {"zh-CN": "兼任", "en": "Also"},
    "roster.team": {"zh-CN": "团队", "en": "Team"},
    "roster.no_team": {"zh-CN": "无团队", "en": "no team"},
    "roster.level": {"zh-CN": "级别", "en": "Level"},
    "roster.level_hint": {"zh-CN": "0 为一线", "en": "0 is the first line"},
    "roster.skills": {"zh-CN": "技能", "en": "Skills"},
    "roster.products": {"zh-CN": "产品", "en": "Products"},
    "roster.languages": {"zh-CN": "语言", "en": "Languages"},
    "roster.covers": {"zh-CN": "技能、产品、语言", "en": "Skills, products, languages"},
    "roster.covers_all": {"zh-CN": "不选表示全部都会", "en": "none means all"},
    "roster.more": {"zh-CN": "其他，用逗号分开", "en": "Others, with commas between"},
    "roster.capacity": {"zh-CN": "接单上限", "en": "Capacity"},
    "roster.load": {"zh-CN": "在手 / 上限", "en": "In hand / capacity"},
    "roster.shift": {"zh-CN": "班次", "en": "Shift"},
    "roster.shift_hint": {
        "zh-CN": "每天写上班时间，例如 09:00-12:00 13:30-18:00；夜班可写 22:00-06:00。"
        "留空的日子不上班，全部留空表示不分班次。下次上线时生效。时区 {zone}。",
        "en": "The hours of each day, such as 09:00-12:00 13:30-18:00; a night is 22:00-06:00. An "
        "empty day is off; if all are empty there are no shifts. It counts from the next time "
        "that the person goes online. Time zone {zone}.",
    },
    "roster.always": {"zh-CN": "不分班次", "en": "no shifts"},
    "roster.state": {"zh-CN": "状态", "en": "State"},
    "roster.edit": {"zh-CN": "编辑", "en": "Edit"},
    "roster.edit_of": {"zh-CN": "编辑 {name}", "en": "Edit {name}"},
    "roster.new": {"zh-CN": "邀请新人", "en": "Let somebody in"},
    "roster.invite": {"zh-CN": "邀请", "en": "Let in"},
    "roster.invite_note": {
        "zh-CN": "系统会生成一个初始密码，只显示一次，由您转交。对方首次登录时改成自己的密码。",
        "en": "A first password is generated and shown once for you to hand over. The first "
        "sign-in asks for one of their own.",
    },
    "roster.save": {"zh-CN": "保存", "en": "Save"},
    "roster.let_in": {"zh-CN": "重新启用", "en": "Let in again"},
    "roster.left": {"zh-CN": "已停用", "en": "Removed"},
    "roster.left_note": {
        "zh-CN": "停用的人不能登录，历史记录仍保留姓名。打开后可以重新启用。",
        "en": "They cannot sign in; the history keeps their names. Open one to let them in again.",
    },
    "roster.nobody": {
        "zh-CN": "名册上还没有人。先邀请一位。",
        "en": "Nobody is on the roster yet. Let the first person in.",
    },
    "roster.supervisor_note": {
        "zh-CN": "您可以修改坐席的技能、产品、语言、接单上限和班次，其他内容由管理员修改。",
        "en": "You may change agents’ skills, products, languages, capacity and shifts; an "
        "administrator changes the rest.",
    },
    "roster.done_changed": {
        "zh-CN": "{person} 已保存，30 秒内生效。",
        "en": "{person} is saved: in force within 30 seconds.",
    },
    "roster.done_back": {
        "zh-CN": "{person} 已重新启用，沿用原来的密码。忘记密码请打开后重置。",
        "en": "{person} is let in again, with the password from before. If it is forgotten, open "
        "the entry and reset it.",
    },
    "roster.errors": {"zh-CN": "还有 {n} 处需要修改", "en": "To put right: {n}"},
    "roster.access": {"zh-CN": "登录与停用", "en": "Signing in and leaving"},
    "roster.reset_note": {
        "zh-CN": "两项都会结束此人的全部登录。",
        "en": "Both end all sessions of this person.",
    },
    "roster.reset_password": {"zh-CN": "重置密码", "en": "Reset the password"},
    "roster.reset_authenticator": {"zh-CN": "移除验证器", "en": "Remove the authenticator"},
    "roster.remove": {"zh-CN": "停用…", "en": "Remove…"},
    "roster.remove_title": {"zh-CN": "停用 {name}？", "en": "Remove {name}?"},
    "roster.remove_access": {
        "zh-CN": "立即退出登录，30 秒内不能再进入本服务台。",
        "en": "They are signed out at once and refused by this desk within 30 seconds.",
    },
    "roster.remove_load": {
        "zh-CN": "在手的 {n} 张工单回到团队队列；团队没有其他人时转给主管。等客户确认的工单不变。",
        "en": "The tickets in hand ({n}) wait for the team again, or for a supervisor if nobody "
        "of the team is left. Tickets that wait for the customer to confirm stay as they are.",
    },
    "roster.remove_reviews": {
        "zh-CN": "由此人负责的回访需要改派，停用后会列出。",
        "en": "Call-backs of theirs need another reviewer; they are listed afterwards.",
    },
    "roster.remove_back": {
        "zh-CN": "名册保留此人，可以重新启用。",
        "en": "The entry stays on the roster: they can be let in again.",
    },
    "roster.remove_yes": {"zh-CN": "停用", "en": "Remove"},
    "roster.cancel": {"zh-CN": "取消", "en": "Cancel"},
    "roster.removed": {"zh-CN": "{name} 已停用", "en": "{name} is removed"},
    "roster.moved_none": {
        "zh-CN": "没有需要转交的工单或回访。",
        "en": "There were no tickets or call-backs to hand over.",
    },
    "roster.moved_to_team": {"zh-CN": "回到团队队列", "en": "Wait for their team again"},
    "roster.moved_to_supervisors": {
        "zh-CN": "转给主管：团队没有其他人",
        "en": "Wait for a supervisor: nobody of the team is left",
    },
    "roster.moved_reviews": {
        "zh-CN": "回访需要改派（打开后选“分配”）",
        "en": "Call-backs that need another reviewer (open and assign)",
    },
    "roster.invited": {"zh-CN": "{name} 已加入名册", "en": "{name} is on the roster"},
    "roster.password": {"zh-CN": "{name} 的密码已重置", "en": "The password of {name} is reset"},
    "roster.authenticator": {
        "zh-CN": "{name} 的验证器已移除",
        "en": "The authenticator of {name} is removed",
    },
    "roster.hand_over": {
        "zh-CN": "请现在把初始密码交给本人。只显示这一次，7 天内有效，"
        "首次登录时会要求换成自己的密码。",
        "en": "Hand over this first password now. It is shown this once and holds for 7 days; the "
        "first sign-in asks for one of their own.",
    },
    "roster.first_password": {"zh-CN": "初始密码", "en": "First password"},
    "roster.keeps_password": {
        "zh-CN": "这个用户名已有账号，沿用原来的密码。如果您刚才没有看到初始密码，请重置密码。",
        "en": "This username has an account already and keeps its password. If you have missed "
        "the first password, reset it.",
    },
    "roster.signs_in_anew": {
        "zh-CN": "下次登录只用密码，之后可在“我的菜单”里重新设置验证器。",
        "en": "The next sign-in takes the password alone; they can then set up an authenticator "
        "in their menu.",
    },
    "roster.back": {"zh-CN": "返回名册", "en": "Back to the roster"},
}
