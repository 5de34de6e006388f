"""The local system's HTTP proxy and SMTP mailbox."""

import asyncio
import json
import smtplib
import socket
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from aiohttp import ClientSession, web
from botocore.exceptions import EndpointConnectionError
from yarl import URL

from functions.intake.mail_store import read_announcement
from infra.local import mailbox, proxy

RAW = (
    b"From: Customer <customer@example.com>\r\nTo: support@standard.local\r\n"
    b"Message-ID: <one@example.com>\r\nSubject: a long\r\n subject\r\n\r\nhello\r\n"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.requirement("G8")
def test_the_proxy_forwards_requests_and_responses_unchanged() -> None:
    """Method, escaped path, query, headers and bytes."""
    asyncio.run(_forward_a_request())


async def _forward_a_request() -> None:
    seen: dict[str, Any] = {}

    async def behind(request: web.Request) -> web.Response:
        seen.update(
            method=request.method,
            path=request.raw_path,
            body=await request.read(),
            accept=request.headers.getall("X-Many"),
            host=request.headers.getall("X-Forwarded-Host"),
        )
        return web.Response(status=418, body=b"\x00\xff", headers={"X-Kept": "yes"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", behind)
    runner = web.AppRunner(app)
    await runner.setup()
    target, front = free_port(), free_port()
    await web.TCPSite(runner, "127.0.0.1", target).start()
    runner_of_proxy = await proxy.serve(front, f"http://127.0.0.1:{target}/stage")
    try:
        async with (
            ClientSession() as session,
            session.put(
                URL(f"http://127.0.0.1:{front}/desks/a%20b/tickets?key=%2F&empty=", encoded=True),
                data=b"\x01raw\xfe",
                headers=[("X-Many", "1"), ("X-Many", "2")],
            ) as answer,
        ):
            assert (answer.status, await answer.read()) == (418, b"\x00\xff")
            assert answer.headers["X-Kept"] == "yes"
    finally:
        await runner_of_proxy.cleanup()
        await runner.cleanup()
    assert seen == {
        "method": "PUT",
        "path": "/stage/desks/a%20b/tickets?key=%2F&empty=",
        "body": b"\x01raw\xfe",
        "accept": ["1", "2"],
        "host": [f"127.0.0.1:{front}"],
    }


def test_an_unreachable_target_is_a_problem_document() -> None:
    asyncio.run(_call_an_unreachable_target())


async def _call_an_unreachable_target() -> None:
    front = free_port()
    runner_of_proxy = await proxy.serve(front, f"http://127.0.0.1:{free_port()}")
    try:
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{front}/") as answer:
            assert answer.status == 502
            assert answer.content_type == "application/problem+json"
            assert (await answer.json())["status"] == 502
    finally:
        await runner_of_proxy.cleanup()


class Bucket:
    """S3 and SNS, as far as a mailbox uses them."""

    def __init__(self, *, down: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.told: list[Any] = []
        self.down = down

    def put_object(self, **given: Any) -> None:
        if self.down:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1")
        self.objects[given["Key"]] = given["Body"]

    def publish(self, **given: Any) -> None:
        self.told.append(json.loads(given["Message"]))


def mailbox_on(bucket: Bucket) -> mailbox.Mailbox:
    return mailbox.Mailbox(bucket, bucket, "mails", "arn:aws:sns:::mail")  # type: ignore[arg-type]


@pytest.mark.requirement("F1")
def test_a_mail_is_stored_byte_for_byte_and_announced_as_ses_does() -> None:
    """Over real SMTP; intake can read the announcement."""
    bucket, port = Bucket(), free_port()
    listener = mailbox.listen(mailbox_on(bucket), port)
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as connection:
            connection.sendmail("customer@example.com", ["support@standard.local"], RAW)
    finally:
        listener.stop()
    ((key, stored),) = bucket.objects.items()
    assert stored == RAW
    (told,) = bucket.told
    found = read_announcement(json.dumps(told))
    assert (found.key, found.recipients) == (key, ("support@standard.local",))
    assert told["mail"]["commonHeaders"]["subject"] == "a long subject"
    assert told["mail"]["source"] == "customer@example.com"


@pytest.mark.requirement("G3")
def test_a_mail_that_cannot_be_stored_is_refused_for_now() -> None:
    """With 4xx, so that the sender's server tries again."""
    port = free_port()
    listener = mailbox.listen(mailbox_on(Bucket(down=True)), port)
    message = EmailMessage()
    message.set_content("hello")
    try:
        with (
            smtplib.SMTP("127.0.0.1", port, timeout=10) as connection,
            pytest.raises(smtplib.SMTPDataError) as refused,
        ):
            connection.send_message(message, "a@example.com", ["support@standard.local"])
    finally:
        listener.stop()
    assert refused.value.smtp_code == 451


def test_many_headers_are_truncated_as_ses_does() -> None:
    raw = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 500) for n in range(40)) + b"\r\n"
    told = mailbox.received(
        raw,
        message_id="1",
        sender="",
        recipients=[],
        bucket="b",
        topic="t",
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert told["mail"]["headersTruncated"] is True
    assert 0 < len(told["mail"]["headers"]) < 40
    assert told["mail"]["timestamp"] == "2026-03-02T00:00:00.000Z"
