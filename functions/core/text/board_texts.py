"""The texts of the board, of approvals and of the review queue."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "board.parts": {"zh-CN": "看板的页面", "en": "Pages of the board"},
    "board.approvals": {"zh-CN": "待审批", "en": "Approvals"},
    "board.reviews": {"zh-CN": "质检回访", "en": "Call-backs"},
    "board.as_of": {"zh-CN": "更新于 {at}", "en": "As of {at}"},
    "board.refresh": {"zh-CN": "刷新", "en": "Refresh"},
    "board.changed": {"zh-CN": "列表有变化", "en": "The lists have changed"},
    # Numbers
    "board.numbers": {"zh-CN": "现在与今天", "en": "Now and today"},
    "board.waiting": {"zh-CN": "等待分配", "en": "Waiting"},
    "board.in_hand": {"zh-CN": "处理中", "en": "In hand"},
    "board.overdue": {"zh-CN": "已逾期", "en": "Overdue"},
    "board.due_within_the_hour": {"zh-CN": "一小时内到期", "en": "Due within the hour"},
    "board.due_short": {"zh-CN": "快到期", "en": "Due soon"},
    "board.received": {"zh-CN": "今日收到", "en": "Received today"},
    "board.resolved": {"zh-CN": "今日解决", "en": "Resolved today"},
    "board.first_response": {"zh-CN": "今日首次响应", "en": "First response today"},
    "board.csat": {"zh-CN": "今日满意", "en": "Satisfied today"},
    "board.today": {"zh-CN": "零点至今", "en": "since midnight"},
    "board.none_yet": {"zh-CN": "今天还没有", "en": "none yet today"},
    "board.median": {
        "zh-CN": "营业时间中位数 · {n} 张 · 全天 {clock}",
        "en": "median in opening hours · {n} · by the clock {clock}",
    },
    "board.rated": {"zh-CN": "{n} 人评价", "en": "of {n} who rated"},
    "board.longest": {"zh-CN": "最久已等 {time}", "en": "longest {time}"},
    "board.nobody_waits": {"zh-CN": "没有人在等", "en": "nobody waits"},
    "board.in_time": {"zh-CN": "全部按时", "en": "all in time"},
    "board.of_them": {"zh-CN": "其中{what} {n}", "en": "{what}: {n}"},
    # Teams, people, jumps
    "board.teams": {"zh-CN": "团队", "en": "Teams"},
    "board.team": {"zh-CN": "团队", "en": "Team"},
    "board.no_team": {"zh-CN": "尚未分派团队", "en": "No team yet"},
    "board.all_teams": {"zh-CN": "全部团队", "en": "All teams"},
    "board.people": {"zh-CN": "坐席", "en": "Agents"},
    "board.person": {"zh-CN": "坐席", "en": "Agent"},
    "board.nobody": {
        "zh-CN": "没有坐席在线。上线后会显示在这里。",
        "en": "No agent is online. Whoever comes online is shown here.",
    },
    "board.load": {"zh-CN": "在手/上限", "en": "Load"},
    "board.state.online": {"zh-CN": "在线", "en": "online"},
    "board.state.full": {"zh-CN": "已满", "en": "full"},
    "board.state.offline": {"zh-CN": "离线", "en": "offline"},
    "board.state.gone": {"zh-CN": "已停用", "en": "has left"},
    "board.jumps": {"zh-CN": "异常增多", "en": "Unusual today"},
    "board.no_jumps": {
        "zh-CN": "今天没有异常增多。与前八周的同一天比较。",
        "en": "Nothing is unusual today, compared with this weekday in the eight weeks before.",
    },
    "board.open_jump": {"zh-CN": "看这 {n} 张", "en": "See these {n}"},
    # Assigning
    "board.assign_title": {"zh-CN": "待分配 {n} 张", "en": "{n} to assign"},
    "board.assign_hint": {
        "zh-CN": "把工单拖到坐席上，或选好坐席再点“分配”。超过上限也可以分配。",
        "en": "Drag a ticket onto an agent, or choose one and press Assign. "
        "You may exceed the limit.",
    },
    "board.assign_to": {"zh-CN": "把 {number} 分配给", "en": "Assign {number} to"},
    "board.choose": {"zh-CN": "选择坐席", "en": "Choose an agent"},
    "board.assign": {"zh-CN": "分配", "en": "Assign"},
    "board.nothing_waits": {
        "zh-CN": "没有待分配的工单。新工单会显示在这里。",
        "en": "Nothing to assign. New tickets are shown here.",
    },
    "board.first_of": {
        "zh-CN": "只显示最急的 {n} 张。",
        "en": "Only the {n} most urgent are shown.",
    },
    "board.assigned": {"zh-CN": "{number} 已分配。", "en": "{number} is assigned."},
    "board.done": {"zh-CN": "{number} 已处理。", "en": "{number} is done."},
    "board.not_done": {"zh-CN": "{number}：{why}", "en": "{number}: {why}"},
    # The tickets of a number
    "board.count": {"zh-CN": "{n} 张", "en": "{n} tickets"},
    "board.in_queue": {"zh-CN": "在队列中处理", "en": "Work on them in the queue"},
    "board.back": {"zh-CN": "返回看板", "en": "Back to the board"},
    "board.none_left": {
        "zh-CN": "现在一张也没有。看板上的数字会随之更新。",
        "en": "There are none now. The board follows.",
    },
    # Approvals
    "board.no_approvals": {
        "zh-CN": "没有等待审批的步骤。坐席申请后会显示在这里。",
        "en": "Nothing waits for approval. What agents ask for is shown here.",
    },
    "board.asked": {
        "zh-CN": "{who} 于 {at} 申请，已等 {time}",
        "en": "{who} asked at {at}, {time} ago",
    },
    "board.asked_by": {"zh-CN": "{who} 申请", "en": "{who} asked"},
    "board.files": {"zh-CN": "{n} 个附件，请打开工单查看", "en": "{n} files; open the ticket"},
    "board.reason": {"zh-CN": "理由（不批准时必填）", "en": "Reason (needed to refuse)"},
    "board.reason_wanted": {
        "zh-CN": "请写明不批准的理由，申请人会看到。",
        "en": "Say why you refuse; whoever asked reads it.",
    },
    "board.approve": {"zh-CN": "批准", "en": "Approve"},
    "board.refuse": {"zh-CN": "不批准", "en": "Refuse"},
    "board.approved": {"zh-CN": "{number} 已批准。", "en": "{number} is approved."},
    "board.refused": {"zh-CN": "{number} 未批准，已告知申请人。", "en": "{number} is refused."},
    # Call-backs
    "board.no_reviews": {
        "zh-CN": "没有待回访的工单。低分评价会显示在这里。",
        "en": "No call-backs. Tickets with a poor score are shown here.",
    },
    "board.no_comment": {"zh-CN": "没有留言", "en": "no comment"},
    "board.no_reviewer": {"zh-CN": "尚未指定", "en": "nobody yet"},
    "board.reviewer": {"zh-CN": "回访人员", "en": "Reviewer"},
    "board.reviewer_of": {"zh-CN": "{number} 的回访人员", "en": "Reviewer of {number}"},
    "board.set_reviewer": {"zh-CN": "指定", "en": "Set"},
    "board.record": {"zh-CN": "记录回访", "en": "Record the call-back"},
    "board.review_assigned": {
        "zh-CN": "{number} 已指定回访人员。",
        "en": "{number} has a reviewer.",
    },
}
"""The texts by key, in each language."""
