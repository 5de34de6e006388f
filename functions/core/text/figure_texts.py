"""The texts of the pages of reports and costs; figures have theirs in `core/reports`."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "period.kinds": {"zh-CN": "日报、周报或月报", "en": "Day, week or month"},
    "period.date": {"zh-CN": "其中一天", "en": "A day in it"},
    "period.show": {"zh-CN": "显示", "en": "Show"},
    "period.daily": {
        "zh-CN": "{year}年{month}月{day}日（周{weekday}）",
        "en": "{weekday} {day} {month} {year}",
    },
    "period.weekly": {
        "zh-CN": "{week_year}年第{week}周（{month}月{day}日至{last_month}月{last_day}日）",
        "en": "Week {week} of {week_year} ({day} {month} to {last_day} {last_month})",
    },
    "period.monthly": {"zh-CN": "{year}年{month}月", "en": "{month} {year}"},
    "reports.made": {
        "zh-CN": "按 {zone} 的自然日统计，{at} 生成，之后不再改动。",
        "en": "Days of {zone}. Written {at}, and not changed since.",
    },
    "reports.none": {"zh-CN": "还没有报表", "en": "There is no report yet"},
    "reports.first": {
        "zh-CN": "第一份{kind}在 {at} 之后半小时内生成。",
        "en": "{kind}: the first one is here within half an hour after {at}.",
    },
    "reports.newest": {"zh-CN": "打开最新的报表", "en": "Open the newest report"},
    "reports.wrong": {"zh-CN": "这份报表打不开", "en": "This report cannot be opened"},
    "reports.odd": {
        "zh-CN": "这份报表的数字对不上，已通知管理员：",
        "en": "The figures of this report do not add up; the administrators were told:",
    },
    "reports.summary": {"zh-CN": "指标", "en": "Figures"},
    "reports.compared": {"zh-CN": "变化与{period}相比。", "en": "Changes are against {period}."},
    "reports.means": {"zh-CN": "含义", "en": "What it means"},
    "reports.open": {"zh-CN": "查看工单", "en": "Its tickets"},
    "reports.open_figure": {"zh-CN": "{figure}：查看工单", "en": "{figure}: its tickets"},
    "reports.outstanding": {"zh-CN": "值得注意", "en": "What stands out"},
    "reports.tables": {"zh-CN": "分组", "en": "By group"},
    "reports.by": {"zh-CN": "按{what}", "en": "By {what}"},
    "reports.left_out": {
        "zh-CN": "另有 {n} 行，见下载的文件。",
        "en": "{n} more rows are in the files.",
    },
    "reports.times": {"zh-CN": "{n} 次", "en": "{n} times"},
    "reports.changed": {
        "zh-CN": "{period}的{figure}：{from_} → {to}",
        "en": "{figure} of {period}: {from_} → {to}",
    },
    "reports.trend": {"zh-CN": "走势", "en": "Over time"},
    "reports.show_trend": {"zh-CN": "显示最近 {n} 期", "en": "Show the last {n}"},
    "reports.too_few": {
        "zh-CN": "至少有两份报表才能看出走势。",
        "en": "This takes two reports at least.",
    },
    "chart.of": {"zh-CN": "{what}，柱状图", "en": "{what}, as bars"},
    "chart.over": {"zh-CN": "{what}，折线图", "en": "{what}, as a line"},
    "chart.beside": {
        "zh-CN": "数字与旁边的表格相同。",
        "en": "The numbers are those of the table beside it.",
    },
    "chart.below": {
        "zh-CN": "数字与下面的表格相同。",
        "en": "The numbers are those of the table below it.",
    },
    "download": {"zh-CN": "下载", "en": "Download"},
    "download.csv": {"zh-CN": "CSV", "en": "CSV"},
    "download.xlsx": {"zh-CN": "Excel", "en": "Excel"},
    "change.same": {"zh-CN": "与上期相同", "en": "As before"},
    "change.new": {"zh-CN": "上期无数据", "en": "No data before"},
    "change.more": {"zh-CN": "比上期多（{by}）", "en": "More than before ({by})"},
    "change.less": {"zh-CN": "比上期少（{by}）", "en": "Less than before ({by})"},
    "change.longer": {"zh-CN": "比上期长（{by}）", "en": "Longer than before ({by})"},
    "change.shorter": {"zh-CN": "比上期短（{by}）", "en": "Shorter than before ({by})"},
    "change.higher": {"zh-CN": "比上期高（{by}）", "en": "Higher than before ({by})"},
    "change.lower": {"zh-CN": "比上期低（{by}）", "en": "Lower than before ({by})"},
    "change.points": {"zh-CN": "{points} 个百分点", "en": "{points} points"},
    "age.<1d": {"zh-CN": "不到 1 天", "en": "Under a day"},
    "age.1-3d": {"zh-CN": "1 至 3 天", "en": "1 to 3 days"},
    "age.3-7d": {"zh-CN": "3 至 7 天", "en": "3 to 7 days"},
    "age.>7d": {"zh-CN": "7 天以上", "en": "Over 7 days"},
    "behind.title": {"zh-CN": "{figure}：背后的工单", "en": "{figure}: the tickets behind it"},
    "behind.counted": {"zh-CN": "计入", "en": "Counts"},
    "behind.merged": {"zh-CN": "不计：已并入 ", "en": "Left out: merged into "},
    "behind.imported": {
        "zh-CN": "不计：从其他系统导入",
        "en": "Left out: imported from another help desk",
    },
    "behind.cancelled": {"zh-CN": "不计：时限已取消", "en": "Left out: deadline cancelled"},
    "behind.unanswered": {
        "zh-CN": "不计：客户未评价",
        "en": "Left out: no score given",
    },
    "behind.other": {"zh-CN": "不计", "en": "Left out"},
    "behind.whether": {"zh-CN": "是否计入", "en": "Counts or not"},
    "behind.yes": {"zh-CN": "是", "en": "Yes"},
    "behind.no": {"zh-CN": "否", "en": "No"},
    "behind.none": {
        "zh-CN": "这个指标在本期没有工单。",
        "en": "No ticket is behind this figure in the period.",
    },
    "behind.next": {"zh-CN": "后 {n} 行", "en": "The next {n}"},
    "behind.first": {"zh-CN": "回到开头", "en": "Back to the first"},
    "behind.back": {"zh-CN": "返回报表", "en": "Back to the report"},
    "behind.numbers": {
        "zh-CN": "财务只看工单号，不看工单内容。",
        "en": "Finance sees the numbers of tickets, not what is in them.",
    },
    "costs.from": {"zh-CN": "从", "en": "From"},
    "costs.to": {"zh-CN": "到", "en": "To"},
    "costs.by": {"zh-CN": "按", "en": "By"},
    "costs.budget": {"zh-CN": "本月预算", "en": "This month's budget"},
    "costs.used": {
        "zh-CN": "已用 {spent} / {budget} {currency}（{share}）",
        "en": "{spent} of {budget} {currency} used ({share})",
    },
    "costs.over": {"zh-CN": "已超出预算。", "en": "The budget is exceeded."},
    "costs.no_budget": {
        "zh-CN": "手册没有设预算（reports.budget）。本月已用 {spent} {currency}。",
        "en": "The playbook sets no budget (reports.budget). {spent} {currency} used this month.",
    },
    "costs.as_of": {"zh-CN": "截至 {at}", "en": "As of {at}"},
    "costs.not_counted": {
        "zh-CN": "本月用量还没有开始统计，通常在 15 分钟内开始。",
        "en": "Nothing is counted for this month yet; that begins within 15 minutes.",
    },
    "costs.computing": {
        "zh-CN": "正在计算，通常需要几秒……",
        "en": "Being computed. This takes a few seconds …",
    },
    "costs.compute": {"zh-CN": "计算并显示", "en": "Compute and show"},
    "costs.late": {
        "zh-CN": "这次计算超过了 20 秒。请再试一次，或把日期范围缩短。",
        "en": "This took more than 20 seconds. Try again, or ask for fewer days.",
    },
    "costs.again": {"zh-CN": "再试一次", "en": "Try again"},
    "costs.table": {
        "zh-CN": "{first} 至 {last} 的费用，{currency}",
        "en": "Costs from {first} to {last}, in {currency}",
    },
    "costs.nothing": {
        "zh-CN": "这些天没有费用。变更在 15 分钟内计入。",
        "en": "Nothing was spent on these days. A change is in it within 15 minutes.",
    },
    "costs.rate": {
        "zh-CN": "AWS 用量按 {region} 的目录价，1 USD = {rate} {currency}。合计 = 目录价 × 汇率 + "
        "坐席成本 + 配件 + 补偿。",
        "en": "AWS at the list prices of {region}; 1 USD = {rate} {currency}. Total = list price × "
        "rate + agent time + parts + compensation.",
    },
    "costs.no_bill": {
        "zh-CN": "需要账单：deskbell costs --bill",
        "en": "Takes the bill: deskbell costs --bill",
    },
    "costs.unpriced": {
        "zh-CN": "没有价格，按 0 计：{names}",
        "en": "Without a price, counted as 0: {names}",
    },
    "costs.units": {"zh-CN": "用量明细", "en": "Metered units and parts"},
    "costs.unit": {"zh-CN": "单位或配件", "en": "Unit or part"},
    "costs.quantity": {"zh-CN": "数量", "en": "Quantity"},
}
"""The texts by key, in each language."""
