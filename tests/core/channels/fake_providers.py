"""The fake provider of each chat channel."""

from tests.core.channels.china_providers import Douyin, MiniProgram, Weibo
from tests.core.channels.lark_providers import DingTalk, Feishu
from tests.core.channels.meta_providers import Messenger, WhatsApp
from tests.core.channels.provider_requests import FakeProvider, Line, Slack, Telegram, WeChat
from tests.core.channels.wecom_provider import WeCom

FAKE_PROVIDERS: dict[str, FakeProvider] = {
    "dingtalk": DingTalk(),
    "douyin": Douyin(),
    "feishu": Feishu(),
    "line": Line(),
    "messenger": Messenger(),
    "miniprogram": MiniProgram(),
    "slack": Slack(),
    "telegram": Telegram(),
    "wechat": WeChat(),
    "wecom": WeCom(),
    "weibo": Weibo(),
    "whatsapp": WhatsApp(),
}
"""Channel → its fake provider."""
