"""Texts of the sample tickets that show a playbook's messages, in both languages."""

REQUESTS = (
    ("App 无法登录，提示网络错误", "I cannot log in to the app; it shows a network error"),
    ("空调不制冷，外机有异响", "The air conditioner does not cool and its outdoor unit is noisy"),
    ("会员积分无法兑换，页面提示错误", "I cannot redeem my member points; the page shows an error"),
    ("支付失败，但钱已经扣了", "The payment failed, but I was charged"),
    ("App 功能异常", "The app is not working"),
    ("登录不了，也收不到验证码", "I cannot log in and get no verification code"),
    ("我遇到一件事想说一下", "There is something that I would like to tell you"),
    ("系统崩溃，所有人都无法使用", "The system is down; nobody can work"),
    ("账户被盗刷20000元", "Somebody has spent 20,000 yuan from my account"),
    ("订单被取消，退款也没收到", "My order was cancelled and I have had no refund"),
    ("电视冒烟了，有焦味", "Smoke comes out of the television; there is a burning smell"),
    ("投诉！客服态度太差，我非常生气", "A complaint: your staff were rude, and I am very angry"),
    ("我要投诉到12315，再不解决就曝光", "I will report you to the regulator if this is not solved"),
    ("商品有划痕，我要退货", "The product has scratches; I would like to return it"),
    ("我的快递到哪了，什么时候到货", "Where is my parcel, and when will it arrive?"),
    ("请问怎么开发票", "How do I get an invoice?"),
    ("忘记密码了，怎么找回", "I forgot my password; how do I recover it?"),
    ("建议增加夜间模式", "I suggest that you add a night mode"),
)

REPLY = (
    "您好，请先更新到最新版本再试一次。如仍有问题，请告诉我们页面上的提示。",
    "Please update to the latest version and try again. If it still fails, tell us what it says.",
)
QUESTION = ("型号和购买日期", "the model and the date of purchase")
ANSWER = ("型号是 KF-35，去年5月购买的", "The model is KF-35, bought last May")
SUMMARY = ("重置设置，测试正常", "Reset the settings; it works again")
VAGUE = ("就是用不了", "It just does not work")
UNSOLVED = ("问题又出现了，还是不行", "The problem is back; it still does not work")
LATER = (
    ("现在冒烟了，有焦味", "Now it is smoking; there is a burning smell"),
    ("太差劲了，等了这么久没人管，我很生气", "I am furious: nobody has cared all this time"),
)
CLOSED = ("与另一张工单重复", "A duplicate of another ticket")
REFUSED = ("先按规定换新", "Replace it by the rules first")
CAUSE = ("处理时间过长", "It took too long")

FIELDS: dict[str, tuple[str, str]] = {
    "answer": ("款项已于今日原路退回", "The money was refunded today"),
    "cause": ("客户要求负责人跟进", "The customer asks for a manager"),
    "contact_note": ("客户希望下午联系", "The customer prefers the afternoon"),
    "customer": ("先生，3月10日来电", "A customer who called on 10 March"),
    "department_answer": ("已修复，请客户刷新后重试", "Fixed; ask the customer to reload the page"),
    "department_contact": ("产品值班经理", "The product manager on duty"),
    "feedback": ("在本工单回复", "Answer on this ticket"),
    "finding": ("启动电容老化，需更换", "The start capacitor is worn and has to be replaced"),
    "goods_state": ("外壳有划痕，未使用", "Scratches on the case, unused"),
    "goodwill_amount": ("20", "20"),
    "goodwill_ground": ("发货晚了5天，客户两次来询", "Sent 5 days late; the customer asked twice"),
    "goodwill_offer": ("24小时内退到您的余额", "It reaches your balance within 24 hours"),
    "handover_point": ("核实接口日志后移交", "After checking the interface's log"),
    "handover_state": ("已确认为接口超时", "An interface times out"),
    "order_number": ("DD20260301", "DD20260301"),
    "outcome": (
        "已电话说明处理方案，客户认可",
        "Explained the solution by phone; the customer agrees",
    ),
    "parts_requested": ("启动电容 1 个", "1 start capacitor"),
    "parts_used": ("启动电容 1 个", "1 start capacitor"),
    "plan_1": ("向承运方核实包裹去向", "We ask the carrier where the parcel is"),
    "plan_2": ("补发商品或退款，由您选择", "We send a new one or refund you, as you choose"),
    "plan_3": ("确认商品或款项已到", "We make sure that it has arrived"),
    "problem": ("退款尚未到账，请核实进度", "The refund has not arrived; please check"),
    "product_line": ("空调", "Air conditioners"),
    "proposal": ("为您更换新配件，3天内寄出", "We will send you a new part within 3 days"),
    "remote_result": ("远程重置后恢复正常", "Works again after a remote reset"),
    "remote_steps": ("远程指导重置", "Guided the customer through a reset"),
    "repair_minutes": ("45", "45"),
    "request_to_department": ("请核实积分兑换接口", "Please check the redemption of points"),
    "symptoms": ("不制冷，外机异响", "Does not cool, noisy outdoor unit"),
    "talk_content": ("已说明处理进度", "Explained how far we are"),
    "tracking_number": ("SF10001", "SF10001"),
    "visit_note": ("请预留外机操作空间", "Please leave room around the outdoor unit"),
    "work_done": ("更换启动电容，制冷正常", "Replaced the start capacitor; it cools again"),
}
"""Field of a step → its sample value; another field gets its own label."""

ENGLISH = dict(
    (
        *REQUESTS,
        *LATER,
        REPLY,
        QUESTION,
        ANSWER,
        SUMMARY,
        VAGUE,
        UNSOLVED,
        CLOSED,
        REFUSED,
        CAUSE,
        *FIELDS.values(),
    )
)
