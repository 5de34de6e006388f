"""Sign calls with a desk's secret (Standard Webhooks)."""

import time

from functions.intake.signatures import sign_standard_webhook


def signed(
    secret: str,
    raw: bytes,
    id: str = "msg_1",  # noqa: A002 - the scheme's word
    at: float | None = None,
) -> dict[str, str]:
    """The three signature headers of a call, signed now or at a Unix time."""
    stamp = str(int(time.time() if at is None else at))
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": sign_standard_webhook(secret, id, stamp, raw),
    }
