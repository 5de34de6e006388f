"""The texts of the pages of the knowledge base, its proposals and its report."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "knowledge.title": {"zh-CN": "知识库", "en": "Knowledge"},
    "knowledge.nav.list": {"zh-CN": "文章", "en": "Articles"},
    "knowledge.nav.try": {"zh-CN": "试问", "en": "Try a question"},
    "knowledge.nav.proposals": {"zh-CN": "改进建议", "en": "Proposals"},
    "knowledge.nav.report": {"zh-CN": "文章效果", "en": "What articles achieve"},
    # The list
    "knowledge.search": {"zh-CN": "客户的话或关键词", "en": "A customer’s words, or a keyword"},
    "knowledge.new": {"zh-CN": "新建文章", "en": "New article"},
    "knowledge.count": {"zh-CN": "{n} 篇文章", "en": "Articles: {n}"},
    "knowledge.version": {"zh-CN": "版本", "en": "Version"},
    "knowledge.author": {"zh-CN": "作者", "en": "Author"},
    "knowledge.changed": {"zh-CN": "修改时间", "en": "Changed"},
    "knowledge.standing.current": {"zh-CN": "生效中", "en": "Current"},
    "knowledge.standing.draft": {"zh-CN": "草稿", "en": "Draft"},
    "knowledge.standing.coming": {"zh-CN": "未到生效日", "en": "Not yet valid"},
    "knowledge.standing.expired": {"zh-CN": "已过期", "en": "Expired"},
    "knowledge.none": {"zh-CN": "还没有文章", "en": "No articles yet"},
    "knowledge.none_so": {"zh-CN": "没有这种状态的文章", "en": "No article is in this state"},
    "knowledge.none_next": {
        "zh-CN": "把客户常问的问题写成文章，草稿不会给客户看到。",
        "en": "Write what customers ask often. They see nothing of a draft.",
    },
    "knowledge.none_next_agent": {
        "zh-CN": "换个说法再试，或请主管补充。",
        "en": "Try other words, or ask a supervisor to write it.",
    },
    "knowledge.show_all": {"zh-CN": "显示全部文章", "en": "Show all articles"},
    # An article
    "knowledge.edit": {"zh-CN": "编辑", "en": "Edit"},
    "knowledge.valid": {"zh-CN": "有效期 {since} 至 {until}", "en": "Valid {since} to {until}"},
    "knowledge.always": {"zh-CN": "长期有效", "en": "Always valid"},
    "knowledge.missing": {
        "zh-CN": "没有这种语言的答复，客户会看到另一种语言。",
        "en": "There is no solution in this language: customers read the other one.",
    },
    "knowledge.phrasings": {"zh-CN": "问法（{n} 条）", "en": "Phrasings ({n})"},
    "knowledge.thin": {
        "zh-CN": "不足 8 条：只会列入选项，不会直接作答。",
        "en": "Fewer than eight: it is offered, never given as the answer at once.",
    },
    "knowledge.history": {"zh-CN": "历史", "en": "History"},
    "knowledge.version_by": {
        "zh-CN": "第 {n} 版，{who}，{at}",
        "en": "Version {n}, {who}, {at}",
    },
    "knowledge.first": {"zh-CN": "首次撰写", "en": "first written"},
    "knowledge.removed": {"zh-CN": "删去：", "en": "removed:"},
    "knowledge.added": {"zh-CN": "新增：", "en": "added:"},
    "knowledge.part.id": {"zh-CN": "文章编号", "en": "Id"},
    "knowledge.part.title": {"zh-CN": "标题", "en": "Title"},
    "knowledge.part.asked": {"zh-CN": "问法", "en": "Phrasings"},
    "knowledge.part.solution": {"zh-CN": "答复", "en": "Solution"},
    "knowledge.part.needs": {"zh-CN": "答复需要的信息", "en": "What the solution needs"},
    "knowledge.part.type": {"zh-CN": "工单类型", "en": "Type of ticket"},
    "knowledge.part.then": {"zh-CN": "答复之后", "en": "After it"},
    "knowledge.part.audience": {"zh-CN": "给谁看", "en": "For"},
    "knowledge.part.state": {"zh-CN": "状态", "en": "State"},
    "knowledge.part.valid": {"zh-CN": "有效期", "en": "Validity"},
    "knowledge.audience.customer": {"zh-CN": "客户和坐席", "en": "Customers and agents"},
    "knowledge.audience.agent": {"zh-CN": "仅坐席", "en": "Agents only"},
    "knowledge.then.answer": {"zh-CN": "答复即可", "en": "The solution settles it"},
    "knowledge.then.hand_over": {"zh-CN": "答复后转人工", "en": "A person takes over after it"},
    "knowledge.state.draft": {"zh-CN": "草稿", "en": "Draft"},
    "knowledge.state.published": {"zh-CN": "已发布", "en": "Published"},
    "knowledge.origin.none": {"zh-CN": "来源…", "en": "Comes from…"},
    "knowledge.origin.ticket": {"zh-CN": "来自工单", "en": "the ticket"},
    "knowledge.origin.asked": {"zh-CN": "询问客户", "en": "asking the customer"},
    "knowledge.origin.looked_up": {"zh-CN": "查询业务系统", "en": "your own system"},
    # The editor
    "knowledge.edit_title": {"zh-CN": "编辑 {name}", "en": "Edit {name}"},
    "knowledge.id_hint": {
        "zh-CN": "以小写字母开头，可含数字和连字符，保存后不能修改",
        "en": "lowercase letters, digits and hyphens; it never changes",
    },
    "knowledge.id_taken": {
        "zh-CN": "已有同编号的文章，请换一个。",
        "en": "There is an article with this id. Choose another.",
    },
    "knowledge.id_reserved": {
        "zh-CN": "此编号是页面地址，请换一个。",
        "en": "This id is the address of a page. Choose another.",
    },
    "knowledge.solution_hint": {
        "zh-CN": "先说答案，再说原因；{{ order_number }} 会填入实际内容",
        "en": "first the answer, then the reason; {{ order_number }} is filled in",
    },
    "knowledge.asked_hint": {
        "zh-CN": "每行一条，照抄客户的话，8 条以上",
        "en": "one a line, in customers’ own words, eight or more",
    },
    "knowledge.propose_phrasings": {
        "zh-CN": "请语言模型建议问法",
        "en": "Have the language model propose phrasings",
    },
    "knowledge.pick": {
        "zh-CN": "勾选要采用的，保存后加入问法。",
        "en": "Tick those to take; saving adds them.",
    },
    "knowledge.nothing_new": {
        "zh-CN": "语言模型没有给出新的问法。",
        "en": "The language model had none that is new.",
    },
    "knowledge.needs_hint": {
        "zh-CN": "答复中用到的信息，全部得到后才会告知客户。",
        "en": "What the solution is filled in with. It is told once all of it is known.",
    },
    "knowledge.need": {"zh-CN": "信息 {n} 的名称", "en": "Name of variable {n}"},
    "knowledge.need_origin": {"zh-CN": "信息 {n} 的来源", "en": "Where variable {n} comes from"},
    "knowledge.use": {"zh-CN": "使用范围", "en": "Where and when it is used"},
    "knowledge.no_type": {"zh-CN": "按客户的话判断", "en": "By the customer’s words"},
    "knowledge.valid.from": {"zh-CN": "生效日（含）", "en": "First day"},
    "knowledge.valid.until": {"zh-CN": "失效日（含）", "en": "Last day"},
    "knowledge.days_reversed": {
        "zh-CN": "生效日不能晚于失效日",
        "en": "the first day is later than the last",
    },
    "knowledge.save": {"zh-CN": "保存", "en": "Save"},
    "knowledge.save_over": {"zh-CN": "保存我的版本", "en": "Save mine"},
    "knowledge.leave": {"zh-CN": "不保存", "en": "Leave"},
    "knowledge.stale": {
        "zh-CN": "您编辑期间，{who}在{at}保存了第 {n} 版。您输入的内容都在，尚未保存。",
        "en": "While you were writing, {who} saved version {n} on {at}. All you typed is here and "
        "not saved yet.",
    },
    "knowledge.theirs": {"zh-CN": "对方改了什么", "en": "What they changed"},
    "knowledge.mine": {
        "zh-CN": "保存您的版本会改变什么",
        "en": "What saving yours would change",
    },
    "knowledge.preview": {"zh-CN": "预览", "en": "Preview"},
    "knowledge.other_language": {
        "zh-CN": "没有这种语言的答复，显示另一种。",
        "en": "No solution in this language; this is the other one.",
    },
    "knowledge.nothing_yet": {
        "zh-CN": "写下答复，这里显示客户看到的样子。",
        "en": "Write a solution to see here what the customer gets.",
    },
    "knowledge.unknown_variable": {
        "zh-CN": "没有名为 {what} 的信息：请改正，或在“答复需要的信息”中选择来源。",
        "en": "There is no variable {what}: correct it, or say below where it comes from.",
    },
    "knowledge.not_filled": {"zh-CN": "无法填入：{what}", "en": "It cannot be filled in: {what}"},
    "knowledge.person_follows": {"zh-CN": "（随后转人工）", "en": "(A person takes over.)"},
    # A question on trial
    "knowledge.question": {"zh-CN": "客户会怎么问", "en": "What a customer would ask"},
    "knowledge.ask": {"zh-CN": "试问", "en": "Try it"},
    "knowledge.try_start": {
        "zh-CN": "看智能助手现在会怎么回答、为什么。不会发送给任何人，也不会留下记录。",
        "en": "See how the assistant would answer now, and why. Nothing is sent or recorded.",
    },
    "knowledge.ends.answer": {"zh-CN": "会直接作答", "en": "Answered at once"},
    "knowledge.ends.ask": {
        "zh-CN": "会先询问，再作答",
        "en": "Answered, once the customer has told what it needs",
    },
    "knowledge.ends.offer": {"zh-CN": "会列出选项", "en": "Offered to choose from"},
    "knowledge.ends.person": {"zh-CN": "会转人工", "en": "Handed over to a person"},
    "knowledge.ends.other": {"zh-CN": "不会用文章作答", "en": "Not answered with an article"},
    "knowledge.why": {"zh-CN": "原因", "en": "Why"},
    "knowledge.likely": {"zh-CN": "有 {p}% 的把握是：", "en": "{p}% sure that it is"},
    "knowledge.or": {"zh-CN": "、", "en": ", or "},
    "knowledge.no_article": {
        "zh-CN": "没有足够接近的文章（把握 {p}%）",
        "en": "No article is near enough ({p}% sure)",
    },
    "knowledge.thresholds": {
        "zh-CN": "本服务台：{once}% 起直接作答，{offer}% 起列出选项",
        "en": "This desk answers at once from {once}%, and offers from {offer}%",
    },
    "knowledge.thin_why": {
        "zh-CN": "只有 {n} 条此语言的问法，满 8 条才会直接作答：",
        "en": "Only {n} phrasings in this language; from eight on it may be the answer:",
    },
    "knowledge.misses": {
        "zh-CN": "连续 {n} 次没有答案才转人工",
        "en": "After {n} misses in a row a person takes over",
    },
    "knowledge.not_read": {
        "zh-CN": "问候、道谢、联系方式等不查找文章",
        "en": "Greetings, thanks, contacts and the like look for no article",
    },
    "knowledge.no_assistant": {
        "zh-CN": "本服务台没有智能助手",
        "en": "This desk has no assistant",
    },
    "knowledge.agents_find": {"zh-CN": "坐席搜索会找到", "en": "What agents find"},
    "knowledge.share": {"zh-CN": "词语相符 {p}%", "en": "{p}% of the words"},
    "knowledge.try_next": {
        "zh-CN": "答得不对时，把这句话加到正确文章的问法里。修改在一分钟内生效。",
        "en": "If it is wrong, add the question to the right article’s phrasings. A change is in "
        "force within a minute.",
    },
    # Proposals
    "proposals.about": {
        "zh-CN": "每晚根据客户的话提出，由您决定。",
        "en": "Made at night from what customers wrote; you decide.",
    },
    "proposals.made.chats": {
        "zh-CN": "聊天：{at}，看了 {n} 个问题。",
        "en": "Chats: {at}, from {n} questions.",
    },
    "proposals.made.tickets": {
        "zh-CN": "工单：{at}，看了 {n} 个请求。",
        "en": "Tickets: {at}, from {n} requests.",
    },
    "proposals.made.rules": {
        "zh-CN": "规则：{at}，看了 {n} 个请求。",
        "en": "Rules: {at}, from {n} requests.",
    },
    "proposals.articles": {"zh-CN": "文章", "en": "Articles"},
    "proposals.count.chats": {
        "zh-CN": "聊天中问了 {n} 次，占 {share}%",
        "en": "Asked {n} times in chats, {share}%",
    },
    "proposals.count.tickets": {
        "zh-CN": "工单中问了 {n} 次，占 {share}%",
        "en": "Asked {n} times in tickets, {share}%",
    },
    "proposals.nearest": {"zh-CN": "最接近", "en": "nearest to"},
    "proposals.poor": {
        "zh-CN": "{n} 次评分低，先改进答复：",
        "en": "{n} rated poor; improve the solution first:",
    },
    "proposals.questions": {"zh-CN": "客户的问法（{n} 条）", "en": "What customers asked ({n})"},
    "proposals.add_to": {"zh-CN": "加入", "en": "Add to"},
    "proposals.new_draft": {"zh-CN": "新草稿", "en": "a new draft"},
    "proposals.new_id": {
        "zh-CN": "新草稿的编号（选填）",
        "en": "Id of the new draft (optional)",
    },
    "proposals.accept": {"zh-CN": "采纳", "en": "Accept"},
    "proposals.accept_rule": {"zh-CN": "已加入手册", "en": "It is in the playbook now"},
    "proposals.dismiss": {"zh-CN": "不采纳", "en": "Dismiss"},
    "proposals.no_articles": {
        "zh-CN": "没有待决定的文章建议，下次在今晚两点。",
        "en": "Nothing to decide. The next ones are made at two tonight.",
    },
    "proposals.rules": {"zh-CN": "分类规则", "en": "Rules"},
    "proposals.words_join": {"zh-CN": "、", "en": ", "},
    "proposals.corrected_from": {
        "zh-CN": "坐席 {n} 次把“{was}”改为“{value}”",
        "en": "Agents changed “{was}” to “{value}” {n} times",
    },
    "proposals.tagged": {
        "zh-CN": "坐席 {n} 次添加“{value}”",
        "en": "Agents added “{value}” {n} times",
    },
    "proposals.changes": {
        "zh-CN": "上月会改变 {n} 个请求，其中 {right} 个与坐席一致",
        "en": "It would have changed {n} requests last month, {right} of them as agents did",
    },
    "proposals.others": {"zh-CN": "其余", "en": "others:"},
    "proposals.rule_text": {
        "zh-CN": "复制到手册的 rules",
        "en": "To copy to the playbook’s rules",
    },
    "proposals.no_rules": {
        "zh-CN": "没有待决定的规则建议：坐席很少更改分类。",
        "en": "Nothing to decide: agents correct few classifications.",
    },
    "proposals.decisions": {"zh-CN": "已决定", "en": "Decided"},
    "proposals.decisions_caption": {
        "zh-CN": "前、后：决定前后两周不需人工的问题占比。已解答：这些问题现在有多少能得到答复。",
        "en": "Before and after: the share of questions without a person in the fortnight on "
        "either side. Helped: the share of its own questions that are answered or offered now.",
    },
    "proposals.when": {"zh-CN": "时间", "en": "When"},
    "proposals.decision": {"zh-CN": "决定", "en": "Decision"},
    "proposals.brought": {"zh-CN": "结果", "en": "Brought"},
    "proposals.before": {"zh-CN": "前", "en": "Before"},
    "proposals.after": {"zh-CN": "后", "en": "After"},
    "proposals.helped": {"zh-CN": "已解答", "en": "Helped"},
    "proposals.accepted": {"zh-CN": "采纳", "en": "Accepted"},
    "proposals.dismissed": {"zh-CN": "不采纳", "en": "Dismissed"},
    "proposals.source.chats": {"zh-CN": "聊天", "en": "chats"},
    "proposals.source.tickets": {"zh-CN": "工单", "en": "tickets"},
    "proposals.source.rules": {"zh-CN": "规则", "en": "rules"},
    "proposals.phrasings": {"zh-CN": "{n} 条问法 →", "en": "{n} phrasings to"},
    "proposals.no_decisions": {"zh-CN": "还没有决定过。", "en": "Nothing was decided yet."},
    "proposals.was_dismissed": {
        "zh-CN": "不采纳，这些问题不会再提出。",
        "en": "Dismissed; it is not proposed again.",
    },
    "proposals.was_added": {
        "zh-CN": "已采纳，{n} 条问法加入",
        "en": "Accepted: {n} phrasings were added to",
    },
    "proposals.write_answer": {
        "zh-CN": "写答复并发布",
        "en": "Write its solution and publish it",
    },
    "proposals.was_accepted": {
        "zh-CN": "已记录。规则在手册发布后生效。",
        "en": "Noted. The rule works once the playbook has it.",
    },
    # The report on articles
    "article_report.period": {"zh-CN": "时期", "en": "Period"},
    "article_report.days": {"zh-CN": "最近 30 天", "en": "Last 30 days"},
    "article_report.week": {"zh-CN": "{name} 周", "en": "Week {name}"},
    "article_report.show": {"zh-CN": "显示", "en": "Show"},
    "article_report.asked": {
        "zh-CN": "{since}至{until}，客户在聊天中问了 {n} 个问题",
        "en": "{since} to {until}: {n} questions in chats",
    },
    "article_report.served": {"zh-CN": "{p}% 不需人工", "en": "{p}% without a person"},
    "article_report.missed": {"zh-CN": "{n} 个没有答案", "en": "{n} without an answer"},
    "article_report.capped": {
        "zh-CN": "只统计最新的 5,000 个",
        "en": "only the newest 5,000 are counted",
    },
    "article_report.by_article": {"zh-CN": "按文章", "en": "By article"},
    "article_report.caption": {
        "zh-CN": "解决：不需人工、未评低分的占比",
        "en": "Solved: the share that needed no person and was not rated poor",
    },
    "article_report.article": {"zh-CN": "文章", "en": "Article"},
    "article_report.total": {"zh-CN": "问题", "en": "Asked"},
    "article_report.answered": {"zh-CN": "直接作答", "en": "Answered at once"},
    "article_report.picked": {"zh-CN": "选项中选定", "en": "Picked"},
    "article_report.solved": {"zh-CN": "解决", "en": "Solved"},
    "article_report.poor": {"zh-CN": "评低分", "en": "Rated poor"},
    "article_report.nothing": {
        "zh-CN": "这段时间没有问题用文章作答。",
        "en": "No question was answered with an article in this time.",
    },
    "article_report.unused": {
        "zh-CN": "{n} 篇没有人问到",
        "en": "Not asked about: {n}",
    },
    "article_report.unanswered": {"zh-CN": "没有答案的问题", "en": "Without an answer"},
    "article_report.unanswered_next": {
        "zh-CN": "最新的在前。相近的会成为改进建议。",
        "en": "The newest first. Those that are alike become proposals.",
    },
    "article_report.all_answered": {
        "zh-CN": "没有：每个问题都有答案。",
        "en": "None: each question had an answer.",
    },
    "article_report.outcome.missed": {"zh-CN": "没有听懂", "en": "not understood"},
    "article_report.outcome.none": {"zh-CN": "选项都不是", "en": "none of those offered"},
    "article_report.frequent": {
        "zh-CN": "{name} 周问得最多的",
        "en": "Asked most in week {name}",
    },
    "article_report.no_frequent": {
        "zh-CN": "这一周没有反复出现的问题。",
        "en": "No question came up again and again in this week.",
    },
    "article_report.not_written": {
        "zh-CN": "这一周没有周报。",
        "en": "There is no report of this week.",
    },
}
"""The texts by key, in each language."""
