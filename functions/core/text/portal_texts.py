"""The texts of the customers' pages in each language (`docs/voice.md`)."""

from functions.core.domain.rules import Locale

TEXTS: dict[str, dict[Locale, str]] = {
    "step.received": {"zh-CN": "已收到", "en": "Received"},
    "step.assigned": {"zh-CN": "已分配", "en": "Assigned"},
    "step.in_progress": {"zh-CN": "处理中", "en": "In progress"},
    "step.resolved": {"zh-CN": "已解决", "en": "Resolved"},
    "step.done": {"zh-CN": "已完成", "en": "Done"},
    "step.closed": {"zh-CN": "已关闭", "en": "Closed"},
    "step.state.done": {"zh-CN": "（已完成）", "en": " (done)"},
    "step.state.current": {"zh-CN": "（当前）", "en": " (now)"},
    "step.state.ahead": {"zh-CN": "（未开始）", "en": " (to come)"},
    # Times
    "time.today": {"zh-CN": "今天{clock}", "en": "{clock} today ({zone})"},
    "time.tomorrow": {"zh-CN": "明天{clock}", "en": "{clock} tomorrow ({zone})"},
    "time.yesterday": {"zh-CN": "昨天{clock}", "en": "{clock} yesterday ({zone})"},
    # Every page
    "page.number": {"zh-CN": "工单号", "en": "Request"},
    "page.find": {"zh-CN": "找回查询链接", "en": "Lost your link?"},
    "page.chat": {"zh-CN": "在线咨询", "en": "Chat with us"},
    "page.file": {"zh-CN": "提交新的请求", "en": "Send a new request"},
    "page.privacy": {"zh-CN": "隐私说明", "en": "Privacy notice"},
    "page.error": {"zh-CN": "请检查：{title}", "en": "Error: {title}"},
    "page.back": {"zh-CN": "返回您的请求", "en": "Back to your request"},
    # The form
    "file.title": {"zh-CN": "提交请求", "en": "Send us a request"},
    "file.lead": {
        "zh-CN": "请说明遇到的问题，我们会按下面的时间答复您。",
        "en": "Say what the problem is. We answer within the times below.",
    },
    "file.about": {"zh-CN": "您遇到了什么问题？", "en": "What is it about?"},
    "file.type": {"zh-CN": "类型", "en": "Kind of request"},
    "file.type.unknown": {"zh-CN": "不确定，请帮我判断", "en": "I am not sure"},
    "file.description": {"zh-CN": "问题描述", "en": "What has happened"},
    "file.description.hint": {
        "zh-CN": "请勿填写密码、验证码。最多{limit}字。",
        "en": "No passwords or codes, please. {limit} characters at most.",
    },
    "file.left": {"zh-CN": "还可以写{n}字", "en": "{n} characters left"},
    "file.over": {"zh-CN": "超出{n}字", "en": "{n} characters too many"},
    "file.optional": {"zh-CN": "（选填）", "en": " (optional)"},
    "file.product.name": {"zh-CN": "产品名称", "en": "Product"},
    "file.product.model": {"zh-CN": "型号", "en": "Model"},
    "file.product.serial": {"zh-CN": "序列号", "en": "Serial number"},
    "file.product.purchased_on": {"zh-CN": "购买日期", "en": "Day of purchase"},
    "file.proof_of_purchase": {"zh-CN": "购买凭证号", "en": "Number of the receipt or invoice"},
    "file.order": {"zh-CN": "订单号", "en": "Order number"},
    "file.since": {"zh-CN": "什么时候开始的", "en": "When did it begin?"},
    "file.environment": {"zh-CN": "在什么设备或环境下使用", "en": "Where do you use it?"},
    "file.attempted": {"zh-CN": "您已经试过什么", "en": "What have you tried?"},
    "file.files": {"zh-CN": "照片或文件", "en": "Photos or files"},
    "file.files.hint": {
        "zh-CN": "最多{count}个，总共不超过{limit} MB。",
        "en": "Up to {count}, {limit} MB in all.",
    },
    "file.urgency": {"zh-CN": "有多急？", "en": "How urgent is it?"},
    "file.urgency.hint": {
        "zh-CN": "不选则按“{default}”处理。",
        "en": "Without a choice it counts as “{default}”.",
    },
    "file.answer_by": {"zh-CN": "{at}前答复", "en": "an answer by {at}"},
    "file.answer_open": {"zh-CN": "{at}开始服务后答复", "en": "an answer when we open, {at}"},
    "file.contact.title": {"zh-CN": "怎么联系您？", "en": "How do we reach you?"},
    "file.contact": {"zh-CN": "手机号或邮箱", "en": "Phone number or e-mail"},
    "file.contact.hint": {
        "zh-CN": "答复和查询链接会发送到这里。",
        "en": "Our answer and a link to follow it are sent there.",
    },
    "file.name": {"zh-CN": "怎么称呼您", "en": "Your name"},
    "file.preferred_channel": {"zh-CN": "希望的联系方式", "en": "How shall we reply?"},
    "file.preferred_channel.any": {"zh-CN": "都可以", "en": "Any way"},
    "file.preferred_channel.sms": {"zh-CN": "短信", "en": "Text message"},
    "file.preferred_channel.email": {"zh-CN": "邮件", "en": "E-mail"},
    "file.preferred_channel.phone": {"zh-CN": "电话", "en": "Phone call"},
    "file.agree": {
        "zh-CN": "提交即表示您同意{notice}（版本{version}）。",
        "en": "By sending this you agree to our {notice} (version {version}).",
    },
    "file.notice": {"zh-CN": "隐私说明", "en": "privacy notice"},
    "file.submit": {"zh-CN": "提交", "en": "Send request"},
    "file.trap": {"zh-CN": "请留空此栏", "en": "Leave this field empty"},
    "file.errors": {"zh-CN": "请更正以下内容", "en": "Please correct the following"},
    "file.errors.files": {
        "zh-CN": "文件需要重新选择。",
        "en": "Please choose the files again.",
    },
    "file.stale": {
        "zh-CN": "页面打开时间较长，请核对后再提交一次。",
        "en": "This page has been open for a while. Please check it and send it again.",
    },
    "file.quick": {"zh-CN": "请核对后再提交一次。", "en": "Please check it and send it again."},
    "file.repeated": {
        "zh-CN": "您刚才已提交过一次。如需再提交一个新的请求，请再次提交。",
        "en": "You have sent this form before. To make it a second request, send it again.",
    },
    "file.required": {"zh-CN": "此项必填", "en": "Please fill this in"},
    "file.held.title": {"zh-CN": "已收到，稍后建立工单", "en": "Received; your number follows"},
    "file.held.files": {
        "zh-CN": "文件未保留；收到工单号后，可在查询页面补充。",
        "en": "The files were not kept. You can add them once you have your number.",
    },
    # The new number
    "filed.title": {"zh-CN": "已收到您的请求", "en": "We have your request"},
    "filed.number": {"zh-CN": "您的工单号", "en": "Your request number"},
    "filed.by": {"zh-CN": "我们会在{at}前答复您。", "en": "You will hear from us by {at}."},
    "filed.open": {
        "zh-CN": "届时为非服务时间，我们最迟在{at}开始服务后答复您。",
        "en": "We are closed by then and answer when we open, {at}, at the latest.",
    },
    "filed.next": {"zh-CN": "接下来", "en": "What happens next"},
    "filed.next.link": {
        "zh-CN": "确认消息和查询链接会发送到您填写的联系方式。",
        "en": "A message with a link to follow your request goes to the contact that you gave.",
    },
    "filed.next.answer": {
        "zh-CN": "我们的答复也会发送到那里；如需您补充信息，会在那里告诉您。",
        "en": "Our answer goes there too, and so does any question that we have.",
    },
    "filed.next.nothing": {
        "zh-CN": "您现在不用做什么，也无需重复提交。",
        "en": "There is nothing for you to do, and no need to send it again.",
    },
    # The sentence about a request
    "says.received": {"zh-CN": "我们已收到您的请求", "en": "We have your request"},
    "says.working": {"zh-CN": "{who}正在处理", "en": "{who} is working on your request"},
    "says.we_work": {"zh-CN": "我们正在处理您的请求", "en": "We are working on your request"},
    "says.with_team": {"zh-CN": "{team}的{handler}", "en": "{handler} of {team}"},
    "says.department": {
        "zh-CN": "{who}正在与同事一起处理",
        "en": "{who} is working on your request together with colleagues",
    },
    "says.we_department": {
        "zh-CN": "我们正在与同事一起处理您的请求",
        "en": "We are working on your request together with colleagues",
    },
    "says.answer_by": {"zh-CN": "，预计{at}前回复。", "en": ". You will hear from us by {at}."},
    "says.answer_open": {
        "zh-CN": "，最迟在{at}开始服务后回复。",
        "en": ". We are closed by then and answer when we open, {at}, at the latest.",
    },
    "says.done_by": {"zh-CN": "，预计{at}前处理完成。", "en": ". We expect to finish by {at}."},
    "says.done_open": {
        "zh-CN": "，最迟在{at}开始服务后处理完成。",
        "en": ". We expect to finish when we open, {at}, at the latest.",
    },
    "says.late": {
        "zh-CN": "。已超过预计时间，很抱歉，有进展会立即告诉您。",
        "en": ". It takes longer than we said, and we are sorry. You hear from us as soon as "
        "there is news.",
    },
    "says.untimed": {
        "zh-CN": "，有进展会立即告诉您。",
        "en": ". You hear from us as soon as there is news.",
    },
    "says.question": {
        "zh-CN": "我们需要您补充一点信息，才能继续处理。",
        "en": "We need to know something from you before we can go on.",
    },
    "says.confirm": {
        "zh-CN": "我们已处理完成，请确认问题是否解决。",
        "en": "We have dealt with your request. Is the problem solved?",
    },
    "says.resolved": {"zh-CN": "您的请求已处理完成。", "en": "Your request has been dealt with."},
    "says.call": {
        "zh-CN": "感谢您的反馈，我们会与您联系。",
        "en": "Thank you for your answer. We will be in touch about it.",
    },
    "says.done": {"zh-CN": "您的请求已全部完成。", "en": "Your request is complete."},
    "says.closed": {"zh-CN": "此请求已关闭。", "en": "This request is closed."},
    "says.merged": {
        "zh-CN": "此请求已与另一个请求合并，将一并处理。",
        "en": "This request was merged with another one and is handled there.",
    },
    "says.goes_on": {"zh-CN": "请查看工单", "en": "It goes on as"},
    "act.nothing": {"zh-CN": "您现在不用做什么。", "en": "There is nothing for you to do."},
    "act.answer": {"zh-CN": "请在下面回答。", "en": "Please answer below."},
    "act.answer_there": {
        "zh-CN": "问题已发送到您的联系方式，请在那里回答。",
        "en": "The question was sent to your contact. Please answer there.",
    },
    "act.confirm": {"zh-CN": "请在下面选择。", "en": "Please say so below."},
    "act.confirm_there": {
        "zh-CN": "结果已发送到您的联系方式，请在那里确认。",
        "en": "The result was sent to your contact. Please confirm it there.",
    },
    "act.rate": {"zh-CN": "如果方便，请在下面评价。", "en": "If you have a moment, rate it below."},
    "act.closed": {
        "zh-CN": "如果仍需要帮助，可以提交新的请求。",
        "en": "If you still need help, send a new request.",
    },
    # The rest of the status page
    "page.when_open": {"zh-CN": "{at}开始服务后", "en": "when we open, {at}"},
    "page.progress": {"zh-CN": "处理进度", "en": "Progress"},
    "page.timeline": {"zh-CN": "处理记录", "en": "What has happened"},
    "page.type": {"zh-CN": "类型", "en": "Type"},
    "page.tags": {"zh-CN": "标签", "en": "Tags"},
    "page.team": {"zh-CN": "处理团队", "en": "Team"},
    "page.handler": {"zh-CN": "处理人员", "en": "Handler"},
    "page.received_at": {"zh-CN": "提交时间", "en": "Received"},
    "page.first_response_at": {"zh-CN": "首次响应时间", "en": "First response"},
    "page.expected_resolution_by": {"zh-CN": "预计解决时间", "en": "Solution expected by"},
    "page.resolved_at": {"zh-CN": "解决时间", "en": "Resolved"},
    "page.summary": {"zh-CN": "解决方案", "en": "Solution"},
    "page.asked": {"zh-CN": "请补充以下信息", "en": "We need to know"},
    "page.times": {"zh-CN": "时区：{zone}", "en": "Time zone: {zone}"},
    "form.message.hint": {"zh-CN": "请勿填写密码等敏感信息", "en": "Please write no passwords"},
    "form.send": {"zh-CN": "发送", "en": "Send"},
    "form.survey": {"zh-CN": "您对本次服务满意吗？", "en": "How satisfied are you?"},
    "form.comment": {"zh-CN": "想对我们说的话（选填）", "en": "Anything to add (optional)"},
    "form.rate": {"zh-CN": "提交评价", "en": "Send rating"},
    "page.earlier": {"zh-CN": "更早的记录", "en": "Earlier entries"},
    "page.submitted": {"zh-CN": "提交的内容", "en": "What you submitted"},
    "page.submitter": {
        "zh-CN": "我们的回复会发送到您填写的联系方式，其中的链接可查看全部记录。",
        "en": "Our answers go to the contact that you gave. The link in them shows everything.",
    },
    "page.files": {"zh-CN": "附件", "en": "Files"},
    "page.messages": {"zh-CN": "沟通记录", "en": "Conversation"},
    "page.refused": {"zh-CN": "未收取的文件", "en": "Files that were not taken"},
    "refused.size": {"zh-CN": "文件过大", "en": "too large"},
    "refused.count": {"zh-CN": "文件数量过多", "en": "too many files"},
    "refused.program": {"zh-CN": "不接受程序文件", "en": "programs are not taken"},
    "refused.macros": {
        "zh-CN": "不接受带宏的文件",
        "en": "files with macros are not taken",
    },
    "refused.kind": {"zh-CN": "不接受此类文件", "en": "files of this kind are not taken"},
    "refused.unavailable": {
        "zh-CN": "聊天平台未提供此文件",
        "en": "the chat provider did not give the file",
    },
    "refused.address": {
        "zh-CN": "文件不在聊天平台上",
        "en": "the file is not kept by the chat provider",
    },
    "refused.virus": {"zh-CN": "检测到病毒", "en": "a virus was found"},
    "form.confirm": {"zh-CN": "问题解决了吗？", "en": "Is the problem solved?"},
    "form.solved": {"zh-CN": "确认解决", "en": "Yes, it is solved"},
    "form.unsolved.not_yet": {"zh-CN": "未解决", "en": "No, not solved"},
    "form.unsolved": {"zh-CN": "问题还没有解决？", "en": "Not solved after all?"},
    "form.unsolved.reason": {"zh-CN": "请说明还有什么问题", "en": "What is still wrong?"},
    "form.unsolved.send": {"zh-CN": "请继续处理", "en": "Please take it up again"},
    "done.messages": {"zh-CN": "留言已收到，谢谢。", "en": "Your message has arrived. Thank you."},
    "done.survey": {"zh-CN": "感谢您的评价。", "en": "Thank you for your rating."},
    "done.confirmation": {"zh-CN": "感谢您的确认。", "en": "Thank you for your answer."},
    "form.message": {"zh-CN": "补充信息，或直接回复", "en": "Add to it, or reply"},
    "form.files": {"zh-CN": "添加照片或文件", "en": "Add photos or files"},
    "form.score": {"zh-CN": "{score}分", "en": "{score} of {high}"},
    "form.survey.ends": {
        "zh-CN": "{low}分=非常不满意，{high}分=非常满意",
        "en": "{low} is very dissatisfied, {high} is very satisfied",
    },
    "page.expected_response_by": {"zh-CN": "预计响应时间", "en": "Response expected by"},
    "page.priority": {"zh-CN": "优先级", "en": "Priority"},
    "page.record": {"zh-CN": "都记录在这里", "en": "Everything is on record"},
    "page.by_contact": {
        "zh-CN": "沟通内容和附件，请用我们发送给您的链接查看。",
        "en": "To see the conversation and its files, use the link that we sent you.",
    },
    # Lost link
    "find.title": {"zh-CN": "找回查询链接", "en": "Get your link again"},
    "find.lead": {
        "zh-CN": "填写工单号和提交时用的手机号或邮箱，我们会把新的链接发送过去。",
        "en": "Give the number of your request and the phone number or e-mail that you gave us. "
        "We send the link there.",
    },
    "find.number": {"zh-CN": "工单号", "en": "Request number"},
    "find.contact": {"zh-CN": "手机号或邮箱", "en": "Phone number or e-mail"},
    "find.submit": {"zh-CN": "发送链接", "en": "Send the link"},
    "find.sent.title": {"zh-CN": "请查收消息", "en": "Check your messages"},
    "find.sent": {
        "zh-CN": "如果工单号和联系方式相符，链接会在几分钟内发送到该联系方式。"
        "没有收到？可核对后再试，或提交新的请求。",
        "en": "If number and contact belong together, the link arrives there within a few minutes. "
        "Nothing there? Check both and try again, or send a new request.",
    },
    "find.again": {"zh-CN": "再试一次", "en": "Try again"},
    # The privacy notice
    "privacy.version": {"zh-CN": "版本：{version}", "en": "Version {version}"},
    "privacy.none": {
        "zh-CN": "本服务台没有发布隐私说明。",
        "en": "This desk has published no privacy notice.",
    },
    # Errors
    "error.link.title": {"zh-CN": "这个链接打不开", "en": "This link does not open"},
    "error.link": {
        "zh-CN": "链接可能不完整、已被新的链接取代，或请求的信息已按要求删除。",
        "en": "It may be incomplete, replaced by a newer link, or the data of the request was "
        "erased on demand.",
    },
}  # fmt: skip
"""Key → text."""
