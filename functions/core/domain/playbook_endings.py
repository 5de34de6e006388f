"""The words by which messages after a resolution are read (see `endings`).

The defaults serve every desk that writes Chinese or English; a playbook replaces a list as a whole.
"""

from functions.core.domain.playbook_types import Section, Words

_THANKS = """
谢谢|谢啦|谢了|多谢|感谢|感激|万分感谢|辛苦了|辛苦啦|辛苦|麻烦你们了|麻烦您了|麻烦了|谢谢帮忙
|好的|好嘞|好滴|好|行|收到|嗯|嗯嗯|明白了|明白|知道了|了解了|了解|不用谢|不客气|客气了|不用了
|没有其他问题|没其他问题|再见|拜拜|工作顺利|生意兴隆|3q|3x|太及时了|好哒|知道啦|很好|挺好|不错
|满意|好评|很棒|太棒了|太好了|真棒|点赞|赞|点个赞|感谢支持|及时回复|态度很好|态度好|处理得很好
|处理很及时|回复很及时|耐心|专业|热情|周到|给力|很快|thanks|thanks a lot|thank you
|thank you again|thanks again|thx|tks|ty|cheers|appreciate it|appreciated|ok|okay|got it|noted
|noted with thanks|will do|great|perfect|awesome|excellent|very good|well done|good job|not bad
|you're welcome|no problem|happy|satisfied|very helpful|helpful|👍|🙏|❤|😊|🌹|👌|😄|😀|🎉|💐|💪
|[强]|[抱拳]|[玫瑰]|[ok]|[微笑]
"""
_SOLVED = """
解决了|已解决|已经解决|都解决|确认解决|解决啦|好了|好啦|已经好|可以了|可以啦|能用了|可以用了
|可以使用了|正常使用|恢复正常|恢复了|已恢复|正常了|搞定|没问题了|没有问题了|没问题|没事了|修好了
|修好|弄好了|登上了|登录上了|可以登录了|能登录了|能登上了|打开了|可以打开了|可以支付了|支付成功了
|退款到账了|退款已到账|退款已经到账|退款收到了|退款已收到|退款已经收到|已经到账|已到账|到账了
|问题解决了|问题已解决|问题已经解决|问题都解决|货收到了|快递收到了|收到货了|钱收到了|能正常登录
|可以正常登录|能正常使用|可以正常使用|收到验证码了|solved|resolved|fixed|sorted|works|works now
|working|it works|works again|working again|works perfectly|works fine|all good|problem solved
|problem is solved|problem is gone|back to normal|all set
"""
_UNSOLVED = """
没解决|没有解决|未解决|没能解决|解决不了|没有得到解决|没处理|没有处理|没人处理|没人联系|没好
|没有好|没修好|没弄好|没用|没有用|没效果|没有效果|没恢复|没有恢复|没变化|还没|还不|还未|还是
|还在|还有问题|还会|仍|依然|依旧|老样子|老问题|一样的问题|又出|又不|又坏|又开始|又来|又报|又没
|又登|又是|不行|不好|不对|不好使|不好用|不能|不可以|不成|不了|不上|不开|不到|不去|无法|没法
|没办法|有问题|并没有|不满意|不太满意|不是很满意|不怎么满意|不满|失望|not solved|not resolved
|not fixed|unsolved|unresolved|not working|not work|doesn't work|does not work|doesn't help
|does not help|didn't help|did not help|didn't work|did not work|isn't working|still|again
|is back|came back|comes back|same problem|same issue|same error|same thing|fails|failed|can't
|cannot|unable|useless|not satisfied|dissatisfied|unhappy|disappointed|not happy|never|not yet
|no solution|worse|wrong
"""
_SYMPTOMS = """
没收到|没有收到|未收到|没到|没有到账|没到账|未到账|坏了|报错|出错|错误|失败|异常|故障|没退
|没有退|没发|没有发|坏的|闪退|崩溃|卡死|黑屏|漏水|stopped working|broken|crashes|crashed
|crashing|error|errors|not received|haven't received|have not received|no refund
"""
_LATER = """
看看|看一下|看下|试试|试一下|试下|查一下|查查|找找|找一下|再说|回复您|回复你|告诉您|告诉你
|发给您|发给你|发您|发你|补给您|let you know|get back to you|look|look into it|check|check it
|try|try it|send it|send you
"""
_TIMES = """
今晚|今天|晚上|晚点|晚些|稍后|待会|等会|等下|等一下|等一会|一会儿|一会|回头|明天|明早|后天|周末
|下班|到家|回家|有空|抽空|先|再|later|soon|tonight|today|tomorrow|this evening|at home
|when i'm home
"""
_MORE = """
另外|补一下|没寄|还差|还有一个|还有个|还有|还想|想问|想咨询|想了解|请问|问一下|问下|问问|顺便
|怎么|如何|多久|什么时候|何时|哪里|哪儿|能不能|可不可以|能否|是否|吗|麻烦再|麻烦帮|麻烦把|麻烦给
|帮我|帮忙|请帮|请把|请给|请尽快|我要|我想|需要|投诉|举报|差评|态度差|太差|太慢|太烂|垃圾|骗子
|骗人|赔偿|退货|换货|要求|曝光|12315|消协|为什么|凭什么|什么态度|question|could you|can you
|would you|can i|may i|how do|how long|how can|when will|when do|where|why|what|i want|i need
|i would like|i'd like|one more|another|complaint|complain|terrible|awful|unacceptable|refund me
|please send|please help|manager|lawyer
"""
_FILLERS = """
你好|您好|在|了|的|啦|啊|呀|哦|噢|呢|哈|哈哈|嘻嘻|你们|您们|我们|你|您|我|它|亲|这次|这个|那个
|客服|小姐姐|小哥哥|小哥|老师|师傅|工作人员|大家|你们的帮助|您的帮助|的帮助|的支持|的解答|解答
|的服务|服务|的回复|已经|已|现在|刚|刚刚|刚才|试了|试了一下|试过|按照|按|说的|方法|个|都|也|就
|很|非常|挺|十分|特别|比较|真的|真心|终于|完全|全部|确认|给|打|评|打分|评分|评价|祝|可以|能|再次
|及时|必须|还算|hi|hello|hey|dear|all|it|it's|that|this|is|are|i|i'm|i'd|we|you|your|the|a|an
|and|for|to|of|with|so|very|much|really|now|many|team|your help|the help|helping me|helping
|your support|quick reply|quick answer|your service|just|everything|give|rating|score|yes|yeah
|was|will|i'll|we'll|没有不满意|没什么不满意
"""


def _words(written: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in written.replace("\n", "").split("|"))


class Endings(Section):
    """The words of messages after a resolution.

    `thanks` and `solved` need no answer if nothing else is said, apart from `fillers`. `unsolved`
    says that the problem is still there, `symptoms` also what it is, `more` asks for something
    else. `later` announces an answer, perhaps with `times`.
    """

    thanks: Words = _words(_THANKS)
    solved: Words = _words(_SOLVED)
    unsolved: Words = _words(_UNSOLVED)
    symptoms: Words = _words(_SYMPTOMS)
    more: Words = _words(_MORE)
    later: Words = _words(_LATER)
    times: Words = _words(_TIMES)
    fillers: Words = _words(_FILLERS)
