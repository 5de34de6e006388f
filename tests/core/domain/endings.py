"""Customers' messages after a resolution, and the meaning of each.

Written before the rule that reads them. `SCORE n` is the score n on the desk's scale. Texts are
separated by " | ".
"""

STANDARD = {
    "thanks": """
        谢谢！ | 谢谢 | 多谢 | 非常感谢！ | 谢谢你们的帮助 | 好的，谢谢 | 好的 | 收到 | 收到，谢谢
        | 嗯嗯，谢谢啦~ | 辛苦了 | 谢谢，辛苦了🙏 | 👍 | 🙏🙏 | OK | ok，thanks | thanks!
        | Thank you very much! | Thank you for your help. | thx | 不用谢 | 不客气 | 谢谢客服小姐姐
        | 谢谢您，祝工作顺利 | 谢谢，再见 | 明白了，谢谢 | 知道了 | 好嘞 | 3q | Got it, thanks
        | Great, thank you so much! | Noted with thanks. | 服务很好，谢谢 | 感谢你们的耐心解答
        """,
    "solved": """
        好了，谢谢 | 已经好了 | 问题解决了 | 已解决，谢谢 | 确认解决 | 可以了，谢谢 | 能用了
        | 恢复正常了，感谢 | 现在正常了 | 搞定了 | 没问题了 | 没事了，谢谢 | 可以登录了，谢谢！
        | 退款已经收到了，谢谢 | thx works now | It works now, thanks | Solved, thank you
        | all good now | fixed, thanks! | 已经可以正常使用了。
        """,
    "SCORE 5": """
        5 | 5分 | 五分 | 5/5 | 打5分 | 给五星 | 五星好评！ | 5分，很满意 | 5分，谢谢！ | 满分 | ５分
        | 给你们打5分，谢谢 | 5 stars | 5 out of 5 | Rating: 5 | I'd give it a 5
        | five stars, thanks
        | 5⭐ | 好的，5分👍 | 服务很好，5分 | 问题解决了，5分 | 5分 小张很耐心 | ⭐⭐⭐⭐⭐
        """,
    "SCORE 4": "4分 | 4 | 评分：4 | 我打4分",
    "SCORE 3": "3分，一般般",
    "SCORE 2": "2分，等了三天才回 | 2 stars, too slow",
    "SCORE 1": """
        1分 | 1分，没解决 | 1分！！太差了 | 一星 | 1 star, still broken | 1/5 terrible service
        """,
    "unsolved": """
        没解决 | 还是不行 | 谢谢，但是还是不行 | 问题没有解决 | 还是登录不了 | 又出现了
        | 没有收到退款
        | 谢谢，不过退款还没到账 | 并没有解决问题 | 不行，还是报错 | 按你说的做了，还是打不开
        | 根本没用
        | 昨天好了今天又坏了 | 好了一会儿又不行了 | still not working | It still doesn't work
        | Not solved | Thanks, but the problem is still there | the error is back
        | same problem again | no it's not fixed | 谢谢你们的“帮助”，问题还在 | 5分？问题都没解决
        | 5 stars but the app still crashes | 你们说“已解决”，可是我还是登不上 | 没好 | 不好使
        | 还是一样 | 重启了也没用 | 非常不满意 | 已解决？我这边还是老样子 | 好的，但是还没有恢复
        | Thanks for nothing, still broken | 未解决 | 不满意 | 谢谢！另外，账号也登不上了
        """,
    "other": """
        另外想问一下发票怎么开 | 感谢，另外想问会员怎么续费 | 谢谢，请问什么时候发货？
        | 好的，那退款多久到账？ | 我要投诉你们客服 | 还有一个问题，地址能改吗
        | 谢谢，顺便问下运费谁出
        | thanks, one more question: can I change my address? | Could you also send me the invoice?
        | 帮我把订单也取消一下 | 麻烦再发一份发票 | 你们客服态度太差了 | 我要退货
        | I want to speak to a manager | How long does the refund take?
        | 5分，另外帮我改下地址 | 谢谢，不过太慢了，我要投诉
        """,
    "unclear": """
        呵呵 | 呵呵，谢谢你们啊 | 再说吧 | 我先看看 | 晚点试试 | 。。。 | 你好 | 明天再联系
        | 等了三天，谢谢
        | 行吧 | 算了 | 100分 | 10 | 从1分到5分 | I'll try tomorrow | 这就是你们的服务 | 真行
        | 5分钟后再看 | 谢谢，等了一个星期 | Thanks, I have an issue | 谢谢，客服态度问题
        | 解决一下，谢谢
        | 打4个电话都没人接 | 我8点5分到 | 等了1分多钟 | Great service, thanks for nothing
        | 好的，你们厉害 | 😡
        | help, thanks | 回复一下，谢谢 | 谢谢！ 张三
        | 打5分，就是慢了点 | 5分，退款呢 | 5分，再也不来了 | 5 stars, not | 5分？ | 1分？ | 1-5分
        | -1 | 4分，回复稍慢 | 一到五分 | 没有不满意
        """,
}

RAPID = {
    "SCORE 5": "满意 | 很满意，谢谢 | 满意！ | 非常满意👍 | 还算满意",
    "SCORE 4": "基本满意",
    "SCORE 3": "一般",
    "SCORE 2": "不满意 | 不满意，说好今天退款没有退",
    "SCORE 1": "未解决 | 未解决，还是登不上",
    "unsolved": "不太满意 | 没解决",
    "unclear": "一般情况下我晚上在家 | 满意？ | 满意（并不） | 没有不满意 | 并非不满意",
}

AFTERSALES = {
    "SCORE 4": "非常满意 | 非常满意，师傅很专业 | Solved, very satisfied",
    "SCORE 3": "满意，谢谢师傅 | 确认解决，满意 | 李师傅很专业，满意",
    "SCORE 1": "不满意",
    "solved": "确认解决 | 修好了，谢谢师傅 | 好了，谢谢",
    "unsolved": "修了还是漏水 | 空调又不制冷了",
    "unclear": "5分",
}

UNSEEN = {
    "thanks": """
        万分感谢，太及时了 | 谢谢哈，给你们点个赞 | 非常感谢您的及时回复！ | Much appreciated!
        | 好哒~
        | 收到，感谢支持 | Thanks a lot for the quick reply | 嗯，好的，知道啦
        """,
    "solved": """
        按照你说的方法弄好了，谢谢 | 已经能正常登录，多谢 | Yes, it's working now. Thank you!
        | 刚试了一下，可以了 | 钱收到了，谢谢 | That fixed it, cheers
        """,
    "SCORE 5": "必须5分 | 五颗星，谢谢你们 | 5分满意 | 5/5, thanks | 五星，问题已解决",
    "SCORE 2": "两分吧，拖太久了",
    "SCORE 1": "只能给1分，根本没人管 | 1分，差评",
    "unsolved": """
        怎么还是收不到验证码 | 感谢回复，可惜问题依旧 | 这就算解决了？根本没法用 | 今天早上又闪退了
        | 不好意思，刚才说好了，其实没好 | Thank you, unfortunately the app keeps crashing
        | No, I still cannot log in | 收到的新机器也是坏的，谢谢
        | 谢谢，但我要的不是这个，问题没处理
        """,
    "other": """
        好的谢谢，发票什么时候能寄出 | 再帮我查一下另一个订单 | 客服态度敷衍，我要向消协反映
        | Thanks. By the way, where can I download the invoice? | 收到，还差一个配件没寄，麻烦补一下
        | 谢谢，能把发票抬头改成公司吗
        """,
    "unclear": """
        等我回家看看再说 | 你们可真有效率，三天才回 | 嗯？ | 先这样吧，谢谢
        | I'll let you know tomorrow
        | 谢谢，希望下次别再这样 | 大概吧
        """,
}
"""Written after the rule, without a look at its words."""

ENDINGS = [
    (desk, text.strip(), kind)
    for desk, table in (
        ("standard", STANDARD),
        ("rapid", RAPID),
        ("aftersales", AFTERSALES),
        ("standard", UNSEEN),
    )
    for kind, texts in table.items()
    for text in " ".join(texts.split("\n")).split(" | ")
]
"""Desk, text, and the kind of ending."""
