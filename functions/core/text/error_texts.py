"""The texts of errors in Chinese. The code raises them in English (`domain.errors.Phrase`).

Both languages have the same `{placeholders}`. A test walks all errors of the code and fails for one
that is missing here.
"""

from functions.core.domain.errors import Phrase, spoken
from functions.core.domain.rules import Locale

CHINESE: dict[str, str] = {
    # Titles
    "The request cannot be carried out": "无法完成请求",
    "Invalid request": "请求内容有误",
    "Not signed in": "尚未登录",
    "Not allowed": "没有权限",
    "Not found": "没有找到",
    "Not possible now": "当前无法进行此操作",
    "The ticket has changed": "工单已更新",
    "The draft has changed": "草稿已更新",
    "Already answered": "已经评价过",
    "Not replayed": "未能重放",
    "Too large": "内容过大",
    "This key was used before": "此幂等键已使用过",
    "Too many attempts": "操作过于频繁",
    "The budget is spent": "预算已用完",
    "The language model gave no text": "语言模型没有给出内容",
    "Busy": "系统繁忙",
    "Failed": "系统出错",
    "The account is not ready": "账号尚未就绪",
    "Bad Request": "请求内容有误",
    "Method Not Allowed": "不支持此请求方法",
    "Unsupported Media Type": "不支持此内容类型",
    "Internal Server Error": "系统出错",
    # Any call
    "Some fields are invalid.": "部分内容不符合要求。",
    "The body is not JSON in UTF-8.": "请求正文不是 UTF-8 编码的 JSON。",
    "A body may have {limit} KiB at most.": "请求正文不能超过 {limit} KiB。",
    "Too many links were asked for. Try again in an hour.": "链接请求次数过多，请一小时后再试。",
    "The files may have {limit} MB in all.": "文件总共不能超过 {limit} MB。",
    "The idempotency key is too long.": "幂等键过长。",
    "The page is invalid.": "页码无效。",
    "A search goes over all queues: leave `queue` out.": "搜索不分队列，请去掉 queue。",
    "At most {limit} characters.": "最多 {limit} 个字符。",
    "There are no letters, digits or characters to look for.": "没有可以搜索的文字或数字。",
    "A date such as 2026-03-10.": "日期，例如 2026-03-10。",
    "expected one of {kinds}": "应为以下之一：{kinds}",
    "expected a period such as {example}": "应为周期，例如 {example}",
    "There is no such report yet.": "还没有这份报表。",
    "The request cannot be read.": "无法读取请求。",
    "This address has no such method.": "此地址不支持这种请求方法。",
    "This address does not take a body of this type.": "此地址不接受这种类型的正文。",
    "This cannot be done right now. Please try again in a moment.": "现在无法完成，请稍后再试。",
    "Something failed on our side. It has been recorded.": "我们的系统出了问题，已记录下来。",
    "This period ends at {time}; its report is written within half an hour after that.": "本周期"
    "于 {time} 结束，报表在其后半小时内生成。",
    "There is no report of this period. Reports go back to 45 days before the first one; the "
    "newest is written within half an hour after its period.": "没有这个周期的报表。报表最早从"
    "启用前45天起；最新的在周期结束后半小时内生成。",
    "At most {limit} tickets at once, not {count}.": "一次最多处理 {limit} 张，现有 {count} 张。",
    "You have {limit} views already. Delete one first.": "您已有 {limit} 个视图，请先删除一个。",
    "There is no such act.": "没有这个操作。",
    # The roster, holds and erasures
    "The ticket's record is held; release it first.": "这张工单正在延期保存，请先解除。",
    "{number} was merged with {held} into one record, and {held} is held: release {held} first.": (
        "{number} 与 {held} 合并为一份档案，{held} 正在延期保存，请先解除 {held}。"
    ),
    "{username} works at {desk} already: change the entry instead.": "{username} 已在 {desk} 的"
    "名册上，请修改现有信息。",
    "A person of every desk has no team.": "所有服务台通用的人员没有团队。",
    "There is no desk {desk}.": "没有服务台 {desk}。",
    "Desk {desk} has no team {team}: it has {teams}.": "{desk} 没有团队 {team}，现有：{teams}。",
    "A supervisor may change the desk's agents alone.": "主管只能修改本服务台的坐席。",
    "A supervisor may change skills, products, languages, capacity and shifts alone.": (
        "主管只能修改技能、产品、语言、接单上限和班次。"
    ),
    "You cannot remove yourself: another administrator can.": (
        "不能停用自己，请由另一位管理员操作。"
    ),
    "Let this person in again first.": "请先重新启用此人。",
    "This person works at other desks too: whoever runs Deskbell can reset them.": (
        "此人也在其他服务台工作，请由系统运维人员重置。"
    ),
    "This person has no user to sign in with: remove them and let them in again.": (
        "此人没有登录账号，请停用后重新启用。"
    ),
    "Somebody has changed this entry meanwhile. Nothing is saved yet: save again if what you have "
    "entered still holds.": "有人刚刚改过这条信息，您的修改尚未保存。如果仍然适用，请再保存一次。",
    "The desk needs an administrator: make somebody else one first.": (
        "服务台需要至少一位管理员，请先指定另一位。"
    ),
    "There is nobody of this name on the roster.": "名册上没有这个人。",
    "2 to 64 letters, digits, dots, hyphens or underscores, such as agent-7": (
        "2 到 64 个字母、数字、点、连字符或下划线，例如 agent-7"
    ),
    "who handles tickets needs a team": "处理工单的人需要有团队",
    "choose one of the list": "请从列表中选择",
    "a mail address such as zhang@example.com": "请填写邮箱，例如 zhang@example.com",
    "a whole number from 0 to {most}": "请填写 0 到 {most} 的整数",
    "{limit} at most": "最多 {limit} 个",
    "“{hours}”: write hours such as {example}": "“{hours}”无法识别，请写成 {example}",
    "open this page": "打开此页面",
    "do this": "进行此操作",
    "There is no such view.": "没有这个视图。",
    "There is no such desk.": "没有这个服务台。",
    "There is no such ticket.": "没有这张工单。",
    "There is no ticket {number} on this desk.": "本服务台没有工单 {number}。",
    "There is no {field} '{name}' on this desk.": "本服务台没有“{name}”（{field}）。",
    "There is no {field} '{name}'.": "没有“{name}”（{field}）。",
    # Fields
    "this field is required": "此项必填",
    "there is no such field": "没有这一项",
    "a moment that is still ahead, within a year": "尚未到来、一年以内的时间",
    "a date that is not in the future": "不晚于今天的日期",
    "{most} parts at most, not {parts}": "最多 {most} 条，不能是 {parts} 条",
    "The customer gets a text message, and this one would have {parts} parts "
    "({length} characters); {most} are the most. Shorten it, or attach a "
    "document, which the customer opens by the link in the message.": "客户收到的是短信，"
    "这条内容需要 {parts} 条短信（{length} 字），最多 {most} 条。请缩短内容，或改用附件，"
    "客户可通过短信中的链接打开。",
    "Too many wrong links. Try again in an hour.": "错误的链接过多，请一小时后再试。",
    "There is no number or address of this customer to open.": "没有可查看的客户号码或地址。",
    "You may not {action} on this ticket: only whoever has to call this customer may.": "您不能在此"
    "工单上{action}，只有需要致电该客户的人可以。",
    "Only those who work on this ticket can use the language model on it.": "只有处理此工单的人"
    "可以对它使用语言模型。",
    "This desk has no language model for this: `language_model` in its playbook sets one "
    "up, with {task} in `uses`.": "本服务台没有为此启用语言模型：请在手册的 "
    "`language_model` 中设置，并在 `uses` 中写入 {task}。",
    "The day's budget for the language model is spent until {at}.": "今天的语言模型预算已用完，"
    "{at} 起恢复。",
    "No article answers this request. Name some in `articles`, or write the reply.": "没有文章能"
    "回答此请求。请在 `articles` 中指定文章，或自行撰写回复。",
    "The language model gave no text. Everything works without it.": "语言模型没有给出内容，"
    "其他操作不受影响。",
    "use the language model": "使用语言模型",
    "Only the department that was asked may answer.": "只有被请求协助的部门可以答复。",
    "{agent} has handled this ticket": "{agent} 处理过此工单",
    "Whoever has handled a ticket does not call back about it; name somebody else. "
    "A supervisor can insist (insist: true).": "处理过工单的人不能回访，请指定其他人；"
    "主管可以坚持（insist: true）。",
    "fill in the placeholders of the draft, or delete them": "请填写草稿中的占位内容，或将其删去",
    "send a JSON object": "请发送 JSON 对象",
    "one of: {names}": "请填写其中之一：{names}",
    "{limit} characters at most, not {length}": "最多 {limit} 个字，现有 {length} 个字",
    "write 1 to {limit} characters, not {length}": "请填写 1 至 {limit} 个字，现有 {length} 个字",
    "a number from {low} to {high}": "请填写 {low} 至 {high} 的数字",
    "a number, or one of the desk's own words": "请填写数字，或本服务台的评价用语",
    "a number, such as 120 or 99.50": "请填写数字，例如 120 或 99.50",
    "a text, a number or a list of texts": "请填写文字、数字或文字列表",
    "a date, such as 2026-03-10": "请填写日期，例如 2026-03-10",
    "a moment with its offset, such as 2026-03-10T14:00:00+08:00": (
        "请填写带时区的时间，例如 2026-03-10T14:00:00+08:00"
    ),
    "a version, as the last answer's `before`": "请填写上次返回的 before",
    "send the cursor of the page before, or none": "请填写上一页返回的 cursor，或不填",
    "send the cursor of the last answer": "请填写上次返回的 cursor",
    "base64 of at least one byte": "请填写 base64 编码的内容，至少一个字节",
    "{limit} MB at most": "最大 {limit} MB",
    "programs are not accepted; send a photo or a document instead": (
        "不接受程序文件，请改为发送照片或文档"
    ),
    "files with macros are not accepted; save it without them and send it again": (
        "不接受带宏的文件，请另存为不带宏的文件后再发送"
    ),
    "the content is another type; accepted types: {types}": "不接受此类文件；可接受的类型：{types}",
    "nothing was uploaded under this id; upload the file first": "此编号下没有文件，请先上传",
    "Some files are not accepted.": "部分文件不符合要求。",
    "Input should be a valid string": "请填写文字",
    "Input should be a valid integer": "请填写整数",
    "Input should be true or false": "请填写 true 或 false",
    "Input should be a list": "请填写列表",
    "Input should be {expected}": "请填写其中之一：{expected}",
    "Input should be greater than or equal to {ge}": "不能小于 {ge}",
    "Input should be less than or equal to {le}": "不能大于 {le}",
    "{min_length} characters at least": "至少 {min_length} 个字",
    "{max_length} characters at most": "最多 {max_length} 个字",
    "{max_length} entries at most, not {actual_length}": (
        "最多 {max_length} 项，现有 {actual_length} 项"
    ),
    "This is not written as it should be": "格式不正确",
    "A contact is required: a phone number or an e-mail address.": "请填写手机号码或邮箱地址。",
    "The contact is neither a phone number nor an e-mail address.": (
        "联系方式既不是电话号码，也不是邮箱地址。"
    ),
    "The phone number does not exist in its country's numbering plan.": (
        "此电话号码不存在，请检查。"
    ),
    "The e-mail address is not well-formed.": "邮箱地址格式不正确。",
    "a text in one language at least": "请至少填写一种语言的文字",
    "`from` is later than `until`": "`from` 晚于 `until`",
    "a day such as 2026-01-31": "请填写日期，例如 2026-01-31",
    "send a JSON object here": "此处请填写 JSON 对象",
    # Articles
    "The article has changed": "文章已更新",
    "The playbook has changed": "手册已更新",
    "Somebody has applied another playbook meanwhile. Check yours against it again.": (
        "期间有人应用了另一版手册，请重新检查您的改动。"
    ),
    "mail.address: mail for {domain} has to be set up first.": (
        "mail.address：需要先为 {domain} 设置邮件。"
    ),
    "public_url: {url} has to be set up first.": "public_url：需要先设置 {url}。",
    "webhooks: {names} need a secret.": "webhooks：{names} 需要密钥。",
    "webhooks: the event buses {names} have to be created.": (
        "webhooks：需要先创建事件总线 {names}。"
    ),
    "assistant.sources: {names} need a secret.": "assistant.sources：{names} 需要密钥。",
    "teams: the tickets of {names} have to be routed again.": (
        "teams：{names} 的工单需要重新分派。"
    ),
    "The article has changed since version {given}; it is at version {version}.": (
        "文章在版本 {given} 之后已更新，现为版本 {version}。"
    ),
    "The article was changed at the same time; read it again.": "文章刚被他人修改，请重新读取。",
    "There is no such article.": "没有这篇文章。",
    "The search is too long.": "搜索内容过长。",
    "read articles": "查看知识库文章",
    "write articles": "编辑知识库文章",
    "decide about proposals": "处理改进建议",
    "There is no such proposal. New ones are made every night.": "没有这条建议。新的建议每晚生成。",
    "Somebody has decided about this proposal.": "这条建议已有人处理。",
    "there is an article with this id": "已有同编号的文章，请在“加入”中选择",
    "The customer was erased: there is nothing to write about.": "客户信息已删除，没有可写的内容。",
    "only for questions that are accepted": "仅在采纳客户问题时填写",
    "`from` is later than `to`.": "`from` 晚于 `to`。",
    "At most {days} days.": "最多 {days} 天。",
    "More than {most} lines: ask for fewer days.": "超过 {most} 行，请缩短日期范围。",
    "separate customers": "撤销客户合并",
    "lowercase letters, digits and hyphens, 40 at most": (
        "请用小写字母、数字和连字符，以字母开头，最多 40 个字符"
    ),
    "cannot be filled in: {cause}": "无法填充变量：{cause}",
    "there is no variable '{name}'; say in `needs` where it comes from": (
        "没有变量“{name}”，请在 `needs` 中注明其来源"
    ),
    "the desk's tickets have no such variable": "本服务台的工单没有这个变量",
    # Customers and channels
    "There is no such request, or the link is not complete.": (
        "没有找到此请求，请检查链接是否完整。"
    ),
    "There is nothing at this address. Please check the link.": "没有找到此页面，请检查链接。",
    "Too many wrong attempts. Try again in an hour.": "尝试次数过多，请一小时后再试。",
    "Too many messages in an hour. Please try again later.": "一小时内的留言过多，请稍后再试。",
    "This link shows what was submitted. To confirm or rate, use the link that was sent to the "
    "contact that was given.": (
        "此链接只能查看和补充您提交的内容。如需确认或评价，请使用我们发给您的链接。"
    ),
    "This form was sent from another site. Open the page and send it again.": (
        "此表单来自其他网站。请打开页面后重新提交。"
    ),
    "This form has expired. Open the page again, then send it.": (
        "表单已过期，请重新打开页面后提交。"
    ),
    "Only those who work on this ticket can open its files.": (
        "只有处理此工单的人员可以打开其中的文件。"
    ),
    "The form cannot be read.": "无法读取表单。",
    "The score is invalid.": "评价无效。",
    "This survey has been answered already. Thank you.": "您已经评价过，谢谢。",
    "This request is not solved yet. You can rate it once it is.": (
        "您的请求尚未处理完成，完成后即可评价。"
    ),
    "This request is not solved yet. You can confirm it once it is.": (
        "您的请求尚未处理完成，完成后即可确认。"
    ),
    "The time for rating this request is over. If the problem is back, send us a message.": (
        "此次服务的评价时间已过。如问题再次出现，请给我们留言。"
    ),
    "This request is complete. If the problem is back, send us a message.": (
        "您的请求已完成。如问题再次出现，请给我们留言。"
    ),
    "This request was closed. If you still need help, send us a message.": (
        "您的请求已关闭。如仍需帮助，请给我们留言。"
    ),
    "This request was merged with another one and goes on there.": (
        "您的请求已与另一个请求合并，将在那里继续处理。"
    ),
    "This request's data was erased. Please file a new request.": (
        "此请求的个人信息已删除，请重新提交请求。"
    ),
    "This Idempotency-Key was used before with another text. Use a new key for a new message.": (
        "此幂等键已用于另一条留言，新的留言请使用新的键。"
    ),
    "This Idempotency-Key was used before with another body. Use a new key for a new request.": (
        "此幂等键已用于另一个请求，新的请求请使用新的键。"
    ),
    "Invalid signature. Sign `webhook-id.webhook-timestamp.body` with this desk's secret by the "
    "Standard Webhooks scheme, and send it within five minutes.": (
        "签名无效。请按 Standard Webhooks 规范，用本服务台的密钥对 "
        "`webhook-id.webhook-timestamp.body` 签名，并在五分钟内发送。"
    ),
    "Invalid signature for this desk's {channel} channel.": "本服务台 {channel} 渠道的签名无效。",
    "The key of this desk's delivery reports is wrong.": "本服务台短信回执地址中的密钥不正确。",
    "There is no such desk, or it does not use this channel.": "没有这个服务台，或它未使用此渠道。",
    "There is no such call.": "没有这通来电的记录。",
    "Sign the request by Standard Webhooks, or send the key of this desk's voice channel.": (
        "请按 Standard Webhooks 签名，或附上本服务台 voice 渠道的密钥。"
    ),
    "This desk has no chat.": "本服务台没有在线对话。",
    "There is no such chat, or the token is not its own.": "没有此对话，或令牌与之不符。",
    "Nothing is offered in this chat now.": "此对话当前没有可选项。",
    "There is no such option.": "没有这个选项。",
    "There is no answer to rate in this chat now.": "此对话当前没有可评价的回答。",
    "A person has taken over this chat; nothing to verify.": "此对话已转接人工，无需验证。",
    "give a contact, or the code that was sent to it": "请填写联系方式，或填写收到的验证码",
    "no text message can be sent to this number": "无法向此号码发送短信",
    "the code could not be sent there": "验证码未能发送成功",
    "no code is waiting; ask for a new one": "没有待验证的验证码，请重新获取",
    "the privacy notice has changed; reload the page": "隐私说明已更新，请刷新页面后再发送",
    "the code has expired; ask for a new one": "验证码已过期，请重新获取",
    "wrong code; attempts left: {left}": "验证码不正确，还可以试{left}次",
    "Too many codes were sent. Try again in an hour.": "验证码发送过于频繁，请一小时后再试。",
    "Too many wrong codes. Ask for a new one.": "验证码多次不正确，请重新获取。",
    "There is no such customer.": "没有这个客户。",
    "There is no such join, or it was undone before.": "没有这次合并，或已撤销。",
    "Too many chats were begun. Try again in an hour.": "新建对话过于频繁，请一小时后再试。",
    "There is nothing to read here; the provider posts to this address.": (
        "此地址没有可读取的内容，仅供渠道服务商推送。"
    ),
    # Agents
    "Sign in by POST /session and send its token as a bearer token.": (
        "请通过 POST /session 登录，并以 Bearer 方式发送返回的 token。"
    ),
    "Username or password is wrong.": "用户名或密码错误。",
    "The session has ended. Sign in again.": "登录已失效，请重新登录。",
    "The code is wrong or too late.": "验证码错误或已过期。",
    "The code does not fit the secret.": "验证码与密钥不符。",
    "The password does not keep the rules.": "密码不符合要求。",
    "12 characters or more, with a capital letter, a small letter and a digit": (
        "至少 12 个字符，含大写字母、小写字母和数字"
    ),
    "the six digits that the authenticator shows now": "请填写身份验证器当前显示的六位数字",
    "Too many attempts. Wait a minute and try again.": "尝试次数过多，请一分钟后再试。",
    "This account has an authenticator already. An administrator can remove it.": (
        "此账号已绑定身份验证器，如需解绑请联系管理员。"
    ),
    "This account is not on the roster of any desk.": "此账号不在任何服务台的名册上。",
    "This account needs a new password before it can be used. Ask an administrator to set one.": (
        "此账号需要先设置新密码，请联系管理员。"
    ),
    "You do not work at this desk any more.": "您已不在本服务台工作。",
    "You are not on this desk's roster.": "您不在本服务台的名册上。",
    "You are not on this desk's roster, so you cannot handle tickets.": (
        "您不在本服务台的名册上，不能处理工单。"
    ),
    "You are on no team of this desk's roster.": "您不属于本服务台的任何团队。",
    "{username} is not on the roster of {desk}.": "{username} 不在 {desk} 的名册上。",
    "Desk {desk} has no playbook {version}.": "服务台 {desk} 没有手册版本 {version}。",
    "You need one of these roles to {purpose}: {roles}.": (
        "需要以下角色之一才能{purpose}：{roles}。"
    ),
    "see tickets": "查看工单",
    "see costs": "查看成本",
    "see the board": "查看看板",
    "assign tickets": "分配工单",
    "approve steps": "审批",
    "see call-backs": "查看回访",
    "assign call-backs": "指定回访人员",
    "see reports": "查看报表",
    "see the queue {queue}": "查看队列 {queue}",
    "add a file": "添加文件",
    "enter a request": "录入工单",
    "merge tickets of different customers, or of a contact that is not proven": (
        "合并不同客户或联系方式未核实的工单"
    ),
    "You may not {action} this ticket: it is neither assigned to you nor waiting for your team. "
    "A supervisor can assign it to you.": (
        "您不能对此工单执行“{action}”：它未分配给您，也不在您团队的队列中。可请主管分配给您。"
    ),
    "You may not record this call-back: quality assurance, the team that has to call, and the "
    "assigned reviewer may.": "您不能记录此次回访：只有质检、负责回访的团队和指定的回访人可以。",
    "Only those who work on this ticket can add files to it.": "只有处理此工单的人员可以添加文件。",
    "There is no action '{action}' on this desk; it has {known}.": (
        "本服务台没有操作“{action}”，可用的操作有：{known}。"
    ),
    "{action} is not possible while the ticket is {status}.": (
        "工单状态为“{status}”，无法执行“{action}”。"
    ),
    "{action} is not possible while the ticket is {status}. It goes on as {into}.": (
        "工单状态为“{status}”，无法执行“{action}”。请到工单 {into} 继续处理。"
    ),
    "{most} files at most": "最多 {most} 个文件",
    "This draft was changed in another window.": "这份草稿在另一个窗口里有改动。",
    "The ticket has changed since this was written. Look at what has come, then send it.": (
        "写这段文字之后，工单又有变化。请先看新的内容，再决定是否发送。"
    ),
    "You acted on version {expected}; the ticket is at version {version}. Look at it again.": (
        "您看到的是版本 {expected}，工单已更新到版本 {version}，请刷新后再操作。"
    ),
    "A ticket is resolved with a summary of what was done.": "解决工单时请填写处理摘要。",
    "This step takes no files.": "此步骤不接受文件。",
    "this step takes none": "此步骤不接受文件",
    "Name the recipient: an agent, a team or a queue.": "请指定接收方：坐席、团队或队列。",
    "exactly one of agent, team and queue": "请只填写 agent、team、queue 中的一项",
    "Nobody of that name on this desk's roster handles tickets.": (
        "本服务台名册上没有可处理工单的此人。"
    ),
    "the username of an active agent": "请填写在职坐席的用户名",
    "A call-back is assigned to a person.": "回访须指定到人。",
    "Messages to this contact arrive, so only a supervisor may name another one.": (
        "发往此联系方式的消息可以送达，只有主管可以更换。"
    ),
    "Mail came back from this contact too.": "发往此联系方式的邮件也被退回。",
    "no mail goes there: {cause}": "邮件无法送达：{cause}",
    "There is no such message, or it has no sealed original.": "没有这条消息，或它没有封存的原文。",
    "the version of a message whose `sealed` is true": "请填写 sealed 为 true 的消息的 version",
    "It could not be opened: {cause}.": "无法查看原文：{cause}。",
    "there is no such act on record": "没有查看记录",
    "the recorded act is not fresh any more": "查看记录已过期",
    "nothing is sealed there": "此处没有封存的原文",
    "the recorded act was used before": "查看记录已使用过",
    "The customer's personal data was erased.": "客户的个人信息已删除。",
    "The ticket is under a legal hold; release it first.": "工单处于延期保存状态，请先解除。",
    "The cursor does not belong to this list.": "cursor 不属于此列表。",
    "A ticket cannot be merged into itself.": "工单不能与自身合并。",
    "{number} has ended, and the other ticket is still open: reopen {number} first, or merge the "
    "other way round.": (
        "工单 {number} 已结束，而另一张工单仍在处理：请先重新打开 {number}，或反向合并。"
    ),
    "{count} tickets were merged into {number} already, the maximum.": (
        "已有 {count} 张工单合并到 {number}，达到上限。"
    ),
    "{number} was merged into {end}. Merge into {end} instead.": (
        "工单 {number} 已合并到 {end}，请合并到 {end}。"
    ),
    "{number} was merged into this ticket.": "工单 {number} 已合并到此工单。",
    # Quarantine and webhooks
    "It is not in quarantine any more, or somebody else has it open: try again in a minute.": (
        "这一条已不在隔离中，或正有人在查看，请一分钟后再试。"
    ),
    "It was discarded before.": "这一条已经丢弃过。",
    "The reason is kept with the entry: give one.": "请填写原因，它会随记录保存。",
    "It cannot be read. Discard it.": "内容无法读取，请丢弃。",
    "Only its entry was kept when it was discarded, so it cannot be replayed.": (
        "丢弃时只保留了记录，无法再重放。"
    ),
    "A virus was found in it. Check it first, then confirm the release.": (
        "其中发现病毒。请先核查，再确认放行。"
    ),
    "No desk has the mailbox that it was sent to. Name a desk.": (
        "收件邮箱不属于任何服务台，请指定服务台。"
    ),
    "It names no sender who could be answered.": "其中没有可以回复的发件人。",
    "Its delivery does not exist any more. Discard it.": "对应的发送记录已不存在，请丢弃。",
    "The delivery was changed at the same time. Try again.": "发送记录刚刚有变化，请再试一次。",
    "The dead letter does not contain its record.": "死信中没有原始记录，无法重放。",
    "The stream holds no record for this function in the failed batch.": (
        "失败批次中没有属于此函数的记录。"
    ),
    "The stream keeps records for 24 hours and no longer holds this one. The ticket's history "
    "still has it: {first} … {last} of {at}.": (
        "数据流只保留 24 小时，这条记录已不在其中；工单历史里仍有：{at} 的 {first} … {last}。"
    ),
    "{function} failed on it again: see its log.": "{function} 再次处理失败，请看它的日志。",
    "{function} failed: {cause}": "{function} 处理失败：{cause}",
    "{function} dead-lettered it again: {cause}": "{function} 再次未能处理：{cause}",
    "{name} goes to an event bus, which needs no secret.": ("{name} 发送到事件总线，不需要密钥。"),
    "The desk {desk} has no webhook {name}; it has: {known}.": (
        "服务台 {desk} 没有名为 {name} 的回调，现有：{known}。"
    ),
    "There is no message {id}.": "没有消息 {id}。",
    "The secret has been changed meanwhile. Change it again if need be.": (
        "密钥刚刚已更换过。如仍需更换，请再操作一次。"
    ),
    "The message is being sent. Try again in a minute.": "消息正在发送，请一分钟后再试。",
    "The endpoint did not accept it: {cause}": "对方没有接收：{cause}",
}
"""English text with placeholders → the same in Chinese."""


def translated(text: str, locale: Locale) -> str:
    """Say the text of an error in a language; a text that is not known stays English."""
    if locale == "en":
        return str(text)
    template, values = (text.template, text.values) if isinstance(text, Phrase) else (text, {})
    chinese = CHINESE.get(template)
    if chinese is None:
        return str(text)
    said = {
        name: translated(value, locale) if isinstance(value, Phrase) else spoken(value, locale)
        for name, value in values.items()
    }
    return chinese.format(**said)
