"""The front door of the local system: one port for the HTTP API, as a domain is in production.

Every request goes to the emulator's API Gateway with its method, path, query, headers and body
untouched, and the answer comes back in the same way; but for what is sent to the chat providers,
which are played here (`providers`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from infra.local import providers

if TYPE_CHECKING:
    from aiohttp import web

# RFC 9110, 7.6.1: fields that concern one connection only; the length is set anew.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The emulator starts a process for each request that finds no free one. A burst would start more
# than a laptop has breath for, and all would be late; on Lambda each has a machine of its own.
_AT_ONCE = 4
# Above API Gateway's own limit of 10 MB a request.
_LARGEST_BODY = 11 * 1024 * 1024


async def serve(port: int, target: str) -> web.AppRunner:
    """Listen on 127.0.0.1:``port`` and forward to ``target`` (no slash at its end).

    The caller ends it by ``await runner.cleanup()``. Raises ``OSError`` where the port is taken.
    """
    from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
    from yarl import URL

    async def forward(request: web.Request) -> web.Response:
        url = URL(target + request.raw_path, encoded=True)
        try:
            async with (
                breath,
                session.request(
                    request.method,
                    url,
                    headers=[
                        (name, value)
                        for name, value in request.headers.items()
                        if name.lower() not in _HOP_BY_HOP
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

    breath = asyncio.Semaphore(_AT_ONCE)
    session = ClientSession(
        auto_decompress=False,
        connector=TCPConnector(limit=200),
        timeout=ClientTimeout(total=40),
    )

    async def close(_app: web.Application) -> None:
        await session.close()

    app = web.Application(client_max_size=_LARGEST_BODY)
    providers.attach(app)
    app.router.add_route("*", "/{path:.*}", forward)
    app.on_cleanup.append(close)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
