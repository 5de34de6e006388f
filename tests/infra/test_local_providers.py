"""The local system's providers answer every adapter's calls as the real ones do."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from functions.core.channels.base import (
    HttpCall,
    MediaFile,
    OutgoingMessage,
    ProviderResult,
    Token,
    adapter,
    names,
)
from infra.local.providers import PATH, attach
from tests.core.channels.fake_providers import FAKE_PROVIDERS

Response = tuple[int, dict[str, str], bytes]


def exchange(name: str) -> tuple[Token | ProviderResult, ProviderResult, object]:
    """Fetch a token, send a message and fetch a file from the local provider of a channel."""

    async def run() -> tuple[Token | ProviderResult, ProviderResult, object]:
        app = web.Application()
        attach(app)
        async with TestClient(TestServer(app)) as client:

            async def call(made: HttpCall) -> Response:
                async with client.session.request(
                    made.method, made.url, data=made.body or None, headers=made.headers
                ) as response:
                    headers = {key.lower(): value for key, value in response.headers.items()}
                    return response.status, headers, await response.read()

            found, provider = adapter(name), FAKE_PROVIDERS[name]
            assert found is not None
            secret = {**provider.secret, "api": str(client.make_url(f"{PATH}/{name}"))}
            token: Token | ProviderResult = Token("", 0)
            if (fetching := found.token_call(secret, renew=False)) is not None:
                status, _, body = await call(fetching)
                token = found.token(status, body)
            value = token.value if isinstance(token, Token) else ""
            message = OutgoingMessage(provider.user, "您好", key="1")
            status, _, body = await call(found.send(message, secret, value))
            # An id to some providers, an address to others.
            file: object = found.media_call(f"{secret['api']}/a file", secret, value)
            while isinstance(file, HttpCall):
                file = found.media(*await call(file), secret, value)
            return token, found.outcome(status, body), file

    return asyncio.run(run())


@pytest.mark.requirement("G8")
@pytest.mark.parametrize("name", names())
def test_a_local_provider_gives_tokens_and_files_and_accepts_messages(name: str) -> None:
    token, sent, file = exchange(name)
    assert isinstance(token, Token)
    assert sent.state == "sent"
    assert file is None or (isinstance(file, MediaFile) and file.content.startswith(b"GIF89a"))
