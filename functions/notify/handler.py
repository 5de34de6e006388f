"""`deskbell-<stage>-notify`: the table's stream, turned into mails and short messages (F2)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from chalice.app import Blueprint

from functions.core import aws, deps
from functions.core.parking import dead_letter
from functions.core.settings import LambdaContext, Place
from functions.core.stream import each
from functions.notify import contact
from functions.notify.deliver import email, once, sms
from functions.notify.dispatch import Ways, process

bp = Blueprint(__name__)


@bp.lambda_function(name="notify")
def notify(event: Any, context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Deliver what a batch of records gives to say; answer which records have to come again."""
    place = Place.of(context)
    ways = _ways(place)
    return each(event, place, "notify", lambda record: process(record, ways, datetime.now(UTC)))


@lru_cache(maxsize=4)
def _ways(place: Place) -> Ways:
    return Ways(
        store=deps.store(place),
        root=aws.root_key(place),
        public_url=aws.public_url(place),
        open_contact=lambda desk, number, sealed: contact.open_contact(
            aws.client("kms"), place.contacts_key, desk, number, sealed
        ),
        send_mail=lambda sender, to, raw: email.send(once.client("sesv2"), sender, to, raw),
        send_sms=lambda number, text, sender: sms.send(once.client("sns"), number, text, sender),
        announce=partial(_announce, place),
    )


def _announce(place: Place, keys: dict[str, str], cause: str) -> None:
    dead_letter(place, "notify", None, cause, keys)
