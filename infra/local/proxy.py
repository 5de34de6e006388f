"""The HTTP port of the local system, in place of a custom domain in production.

It forwards every request unchanged to the emulator's API Gateway, with the host that was asked for
in `X-Forwarded-Host`, and returns the response unchanged. Only calls to the chat providers
(`providers`) and to the sample of a company's own system (`sample_source`) are answered here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from infra.local import providers, sample_source

if TYPE_CHECKING:
    from aiohttp import web

# RFC 9110, 7.6.1: fields of a single connection; the length is computed again.
_HOP_BY_HOP = frozenset(
    {
        "connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
# The emulator starts a process for every request that finds no free one; a burst would overload a
# laptop.
_MAX_CONCURRENT = 4
# Above API Gateway's limit of 10 MB.
_LARGEST_BODY = 11 * 1024 * 1024


async def serve(port: int, target: str) -> web.AppRunner:
    """Listen on 127.0.0.1 and forward to `target` (without a trailing slash).

    `await runner.cleanup()` stops it.

    Raises:
        OSError: the port is in use.
    """
    from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
    from yarl import URL

    async def forward(request: web.Request) -> web.Response:
        url = URL(target + request.raw_path, encoded=True)
        try:
            async with (
                slots,
                session.request(
                    request.method,
                    url,
                    headers=[
                        *(
                            (name, value)
                            for name, value in request.headers.items()
                            if name.lower() not in _HOP_BY_HOP | {"x-forwarded-host"}
                        ),
                        ("X-Forwarded-Host", request.host),
                    ],
                    data=await request.read(),
                    allow_redirects=False,
                    skip_auto_headers=("User-Agent", "Accept", "Content-Type", "Accept-Encoding"),
                ) as answer,
            ):
                response = web.Response(status=answer.status, body=await answer.read())
                response.headers.clear()
                for name, value in answer.headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        response.headers.add(name, value)
                return response
        except (ClientError, TimeoutError) as error:
            return web.json_response(
                {"title": "Bad gateway", "status": 502, "detail": type(error).__name__},
                status=502,
                content_type="application/problem+json",
            )

    slots = asyncio.Semaphore(_MAX_CONCURRENT)
    session = ClientSession(
        auto_decompress=False, connector=TCPConnector(limit=200), timeout=ClientTimeout(total=40)
    )

    async def close(_app: web.Application) -> None:
        await session.close()

    app = web.Application(client_max_size=_LARGEST_BODY)
    providers.attach(app)
    sample_source.attach(app)
    app.router.add_route("*", r"/{path:[\s\S]*}", forward)
    app.on_cleanup.append(close)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
