"""`deskbell-<stage>-notify`: the table's stream, turned into mails and short messages (F2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

from chalice.app import Blueprint

from functions.core import aws, clock, deps
from functions.core.errors import TryAgain
from functions.core.parking import dead_letter
from functions.core.settings import LambdaContext, Place
from functions.core.stream import each
from functions.notify import contact
from functions.notify.deliver import email, once, sms
from functions.notify.dispatch import Ways, process

ENOUGH = timedelta(seconds=25)
"""What has to be left of the function's time to begin with another record: a hanging provider must
not let Lambda end the function between sending and marking."""

bp = Blueprint(__name__)


class Context(LambdaContext, Protocol):
    def get_remaining_time_in_millis(self) -> int: ...


@bp.lambda_function(name="notify")
def notify(event: Any, context: Context) -> dict[str, list[dict[str, str]]]:
    """Deliver what a batch of records gives to say; answer which records have to come again."""
    place = Place.of(context)
    ways = _ways(place)

    def one(record: Any) -> None:
        if timedelta(milliseconds=context.get_remaining_time_in_millis()) < ENOUGH:
            raise TryAgain("the time is over; the record comes again")
        process(record, ways, clock.now())

    return each(event, place, "notify", one)


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
        announce=lambda keys, cause: dead_letter(place, "notify", None, cause, keys),
    )
