"""The texts of the playbook's pages: versions, changes, rehearsal, messages."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "playbook.title": {"zh-CN": "手册", "en": "Playbook"},
    "playbook.in_force": {
        "zh-CN": "第 {number} 版生效中",
        "en": "Version {number} is in force",
    },
    "playbook.applied": {
        "zh-CN": "第 {number} 版已应用，60 秒内生效。",
        "en": "Version {number} is applied and takes effect within 60 seconds.",
    },
    "playbook.messages": {"zh-CN": "消息预览", "en": "Message preview"},
    "playbook.versions": {"zh-CN": "版本", "en": "Versions"},
    "playbook.version": {"zh-CN": "第 {number} 版", "en": "Version {number}"},
    "playbook.when": {"zh-CN": "应用时间", "en": "Applied"},
    "playbook.by": {"zh-CN": "应用人", "en": "By"},
    "playbook.unknown": {"zh-CN": "见审计记录", "en": "see the audit"},
    "playbook.file": {"zh-CN": "文件", "en": "File"},
    "playbook.current": {"zh-CN": "生效中", "en": "in force"},
    "playbook.download": {"zh-CN": "下载第 {number} 版", "en": "Download version {number}"},
    "playbook.older": {"zh-CN": "更早的版本", "en": "Older versions"},
    "playbook.back": {"zh-CN": "返回手册", "en": "Back to the playbook"},
    # Changing
    "playbook.change": {"zh-CN": "修改手册", "en": "Change the playbook"},
    "playbook.change_how": {
        "zh-CN": "下载生效中的版本，修改后选择文件或粘贴在下面。先检查并演练，不会改变任何工单。",
        "en": "Download the version in force, change it, then choose the file or paste it below. "
        "It is checked and rehearsed first; no ticket changes.",
    },
    "playbook.choose": {"zh-CN": "手册文件（YAML）", "en": "Playbook file (YAML)"},
    "playbook.paste": {"zh-CN": "或粘贴内容", "en": "Or paste its text"},
    "playbook.days": {"zh-CN": "用哪些工单演练", "en": "Rehearse on the tickets of"},
    "playbook.days_n": {"zh-CN": "最近 {days} 天", "en": "the last {days} days"},
    "playbook.check": {"zh-CN": "检查并演练", "en": "Check and rehearse"},
    "playbook.empty": {
        "zh-CN": "请选择文件或粘贴内容。",
        "en": "Choose a file or paste its text.",
    },
    "playbook.unreadable": {
        "zh-CN": "文件不是 UTF-8 文本。",
        "en": "The file is not text in UTF-8.",
    },
    "playbook.too_long": {
        "zh-CN": "手册最多 {limit} 个字符。",
        "en": "A playbook has {limit} characters at most.",
    },
    "playbook.errors": {
        "zh-CN": "手册有 {count} 处需要改正",
        "en": "To put right in the playbook: {count}",
    },
    "playbook.line": {"zh-CN": "第 {line} 行", "en": "Line {line}"},
    "playbook.same": {
        "zh-CN": "内容与生效中的版本相同，没有需要应用的改动。",
        "en": "This is what the version in force says. There is nothing to apply.",
    },
    # Differences
    "playbook.changes": {
        "zh-CN": "与第 {number} 版的差异",
        "en": "Differences to version {number}",
    },
    "playbook.no_changes": {"zh-CN": "没有差异。", "en": "There are no differences."},
    "playbook.first": {
        "zh-CN": "这是第一版，没有可比较的版本。",
        "en": "This is the first version; there is none to compare it with.",
    },
    "playbook.compare": {"zh-CN": "比较", "en": "Compare"},
    "playbook.compare_with": {"zh-CN": "与哪一版比较", "en": "Compare with version"},
    "playbook.count": {"zh-CN": "{count} 处", "en": "{count}"},
    "playbook.section": {"zh-CN": "顺序", "en": "Order of sections"},
    "playbook.added": {"zh-CN": "新增", "en": "Added"},
    "playbook.removed": {"zh-CN": "删除", "en": "Removed"},
    "playbook.changed": {"zh-CN": "修改", "en": "Changed"},
    "playbook.reordered": {"zh-CN": "顺序", "en": "Order"},
    "playbook.return": {
        "zh-CN": "检查并恢复到第 {number} 版",
        "en": "Check a return to version {number}",
    },
    "playbook.return_how": {
        "zh-CN": "会先演练；恢复后作为新的一版，历史版本保留。",
        "en": "It is rehearsed first, and becomes a new version; none is lost.",
    },
    # Rehearsal
    "rehearsal.title": {"zh-CN": "演练", "en": "Rehearsal"},
    "rehearsal.compared": {
        "zh-CN": "最近 {days} 天收到 {found} 张工单，比较了最新的 {compared} 张，"
        "其中 {differing} 张会不同。",
        "en": "Of {found} tickets received in the last {days} days, the newest {compared} were "
        "compared. {differing} would differ.",
    },
    "rehearsal.more": {
        "zh-CN": "比较全部工单：deskbell playbook rehearse FILE --days {days}",
        "en": "To compare all tickets: deskbell playbook rehearse FILE --days {days}",
    },
    "rehearsal.none": {
        "zh-CN": "最近 {days} 天没有收到工单，无法演练。",
        "en": "No ticket came in during the last {days} days, so there is nothing to rehearse.",
    },
    "rehearsal.failed": {
        "zh-CN": "演练没有完成。请再试一次，或选更短的时间。",
        "en": "The rehearsal did not finish. Try again, or choose a shorter time.",
    },
    "rehearsal.erased": {"zh-CN": "{count} 张已清除，未比较", "en": "{count} erased, not compared"},
    "rehearsal.incomplete": {
        "zh-CN": "{count} 张记录不全，未比较",
        "en": "{count} incomplete, not compared",
    },
    "rehearsal.unreadable": {
        "zh-CN": "{count} 张无法读取，未比较",
        "en": "{count} unreadable, not compared",
    },
    "rehearsal.what": {"zh-CN": "会不同的是", "en": "What would differ"},
    "rehearsal.difference": {"zh-CN": "差异", "en": "Difference"},
    "rehearsal.tickets": {"zh-CN": "工单数", "en": "Tickets"},
    "rehearsal.promises": {"zh-CN": "按时完成的时限", "en": "Deadlines kept"},
    "rehearsal.deadline": {"zh-CN": "时限", "en": "Deadline"},
    "rehearsal.before": {"zh-CN": "现在", "en": "Now"},
    "rehearsal.after": {"zh-CN": "修改后", "en": "After the change"},
    "rehearsal.share": {"zh-CN": "{share}（{kept}/{of}）", "en": "{share} ({kept} of {of})"},
    "rehearsal.listed": {"zh-CN": "会不同的工单", "en": "Tickets that would differ"},
    "rehearsal.first_listed": {
        "zh-CN": "只列出前 {count} 张。",
        "en": "The first {count} are listed.",
    },
    "rehearsal.ticket": {"zh-CN": "工单", "en": "Ticket"},
    "rehearsal.nothing": {"zh-CN": "无", "en": "none"},
    "rehearsal.type": {"zh-CN": "类型", "en": "Type"},
    "rehearsal.tags": {"zh-CN": "标签", "en": "Tags"},
    "rehearsal.priority": {"zh-CN": "优先级", "en": "Priority"},
    "rehearsal.asks_first": {"zh-CN": "先询问", "en": "Asked first"},
    "rehearsal.team": {"zh-CN": "团队", "en": "Team"},
    "rehearsal.queue": {"zh-CN": "队列", "en": "Queue"},
    "rehearsal.needs": {"zh-CN": "所需技能", "en": "Skills needed"},
    "rehearsal.expected_response_by": {"zh-CN": "承诺响应", "en": "Response promised"},
    "rehearsal.expected_resolution_by": {"zh-CN": "承诺解决", "en": "Resolution promised"},
    "rehearsal.later_tags": {"zh-CN": "后来的标签", "en": "Tags later"},
    "rehearsal.later_priority": {"zh-CN": "后来的优先级", "en": "Priority later"},
    "rehearsal.warning": {"zh-CN": "{timer}预警（{share}）", "en": "Warning: {timer} ({share})"},
    "rehearsal.breach": {"zh-CN": "{timer}超时", "en": "Breach: {timer}"},
    "rehearsal.value.customer": {"zh-CN": "客户", "en": "the customer"},
    "rehearsal.value.agent": {"zh-CN": "坐席", "en": "an agent"},
    "rehearsal.value.team": {"zh-CN": "团队", "en": "the team"},
    "rehearsal.value.supervisor": {"zh-CN": "主管", "en": "supervisors"},
    "rehearsal.value.collect": {"zh-CN": "汇总", "en": "collected"},
    # Applying
    "playbook.apply_title": {"zh-CN": "应用", "en": "Apply"},
    "playbook.confirm": {
        "zh-CN": "我已看过差异和演练结果",
        "en": "I have read the differences and the rehearsal",
    },
    "playbook.unconfirmed": {
        "zh-CN": "请先确认已看过差异和演练结果。",
        "en": "Confirm that you have read the differences and the rehearsal.",
    },
    "playbook.apply": {"zh-CN": "应用为第 {number} 版", "en": "Apply as version {number}"},
    "playbook.edit": {"zh-CN": "继续修改", "en": "Go on editing"},
    "playbook.admins": {
        "zh-CN": "只有管理员可以应用手册。",
        "en": "Only an administrator can apply a playbook.",
    },
    "playbook.console": {
        "zh-CN": "此改动需要运维人员在控制台应用：",
        "en": "An operator has to apply this change on the console:",
    },
    # Messages
    "messages.title": {"zh-CN": "消息预览", "en": "Message preview"},
    "messages.how": {
        "zh-CN": "客户和同事会读到的每条消息。链接仅作示例，打不开任何工单；不会发送任何内容。",
        "en": "Each message as customers and colleagues would read it. The links open nothing, and "
        "nothing is sent.",
    },
    "messages.number": {"zh-CN": "工单编号", "en": "Ticket number"},
    "messages.fill": {"zh-CN": "用这张工单填写", "en": "Fill in with this ticket"},
    "messages.sample": {"zh-CN": "改用示例数据", "en": "Use sample data"},
    "messages.with": {
        "zh-CN": "数据来自工单 {number}。",
        "en": "With the data of ticket {number}.",
    },
    "messages.with_sample": {
        "zh-CN": "数据为示例。填入编号可换成真实工单。",
        "en": "With sample data. Enter a number to use a ticket’s.",
    },
    "messages.missing": {"zh-CN": "没有工单 {number}。", "en": "There is no ticket {number}."},
    "messages.to": {"zh-CN": "发给{who}", "en": "to {who}"},
    "messages.not_yet": {
        "zh-CN": "这张工单没有发生此事，内容含示例值",
        "en": "has not happened to this ticket; has sample values",
    },
    "messages.broken": {"zh-CN": "这条消息无法填写。", "en": "This message cannot be filled in."},
    "messages.sms": {
        "zh-CN": "短信 {parts} 条，{length} 个字符",
        "en": "Text message: parts: {parts}, characters: {length}",
    },
    "messages.none": {
        "zh-CN": "手册里还没有消息。在 messages 中添加后会显示在这里。",
        "en": "The playbook has no messages yet. Those under “messages” appear here.",
    },
    "recipient.customer": {"zh-CN": "客户", "en": "the customer"},
    "recipient.former_contact": {"zh-CN": "原联系方式", "en": "the former contact"},
    "recipient.handler": {"zh-CN": "处理人", "en": "the handler"},
    "recipient.reviewer": {"zh-CN": "质检人", "en": "the reviewer"},
    "recipient.team": {"zh-CN": "处理团队", "en": "the team"},
    "recipient.supervisor": {"zh-CN": "主管", "en": "supervisors"},
    "recipient.qa": {"zh-CN": "质检", "en": "QA"},
    "recipient.field": {"zh-CN": "“{field}”所选的团队", "en": "the team chosen as “{field}”"},
    "language.zh-CN": {"zh-CN": "中文", "en": "中文"},
    "language.en": {"zh-CN": "English", "en": "English"},
}
