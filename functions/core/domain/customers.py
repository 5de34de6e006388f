"""One customer across channels: identities that were proven to belong together (C1, C2).

A record exists once two identities are joined; before that a contact is its own customer. Each join
names its proof and what it brought in, so that it can be undone.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, Self

from functions.core.domain.privacy import FreeText, PersonalText, TermName
from functions.core.domain.ticket import Value

IdentityKind = Literal["phone", "email", "message", "customer_id"]
Proof = Literal["code", "channel"]
"""A code that reached the contact, or a signed channel that named both."""

MAX_IDENTITIES = 20
"""Identities of a record: a person has a handful, and a join writes each of them."""


class Identity(Value):
    """One way in which a customer is known: a contact, a provider's id, or the company's id.

    `hash` is its keyed hash, `shown` what people see of it.
    """

    kind: IdentityKind
    hash: PersonalText
    shown: PersonalText = ""


class Join(Value):
    """A proof that identities belong to a record; `brought` are the hashes that it added.

    A join that was undone keeps who did so and why.
    """

    proof: Proof
    at: datetime
    brought: tuple[PersonalText, ...]
    undone_at: datetime | None = None
    undone_by: TermName | None = None
    reason: FreeText = ""


class CustomerRecord(Value):
    """A customer: identities in the order in which they were joined, and the joins."""

    desk: TermName
    id: TermName
    version: int = 0
    identities: tuple[Identity, ...] = ()
    joins: tuple[Join, ...] = ()

    @property
    def contacts(self) -> tuple[str, ...]:
        """The hashes of the contacts, by which tickets are found."""
        return tuple(each.hash for each in self.identities if each.kind != "customer_id")

    def changed(self, **fields: object) -> Self:
        return self.model_copy(update=fields)


def joined(
    records: Sequence[CustomerRecord],
    identities: Sequence[Identity],
    proof: Proof,
    at: datetime,
) -> CustomerRecord | None:
    """Return the first record with everything that was proven to be the same customer's.

    The first identity is what the others are joined to. None if nothing is new, or the record
    would grow beyond `MAX_IDENTITIES`.
    """
    base, *others = records
    known = {each.hash for each in base.identities}
    started = not known
    found = {each.hash: each for each in base.identities}
    for each in (*identities, *(one for other in others for one in other.identities)):
        found.setdefault(each.hash, each)
    new = [each for each in found if each not in known]
    if started:
        new = [each for each in new if each != identities[0].hash]
    if not new or len(found) > MAX_IDENTITIES:
        return None
    join = Join(proof=proof, at=at, brought=tuple(new))
    former = tuple(each for other in others for each in other.joins)
    return base.changed(identities=tuple(found.values()), joins=(*base.joins, *former, join))


def left_by(record: CustomerRecord, identity: str) -> CustomerRecord:
    """Return a record without one of its identities."""
    return record.changed(
        identities=tuple(each for each in record.identities if each.hash != identity)
    )


def separated(
    record: CustomerRecord, join: int, new_id: str, *, by: str, reason: str, at: datetime
) -> tuple[CustomerRecord, CustomerRecord]:
    """Undo a join: return the record without what it brought, and a record of that.

    The new record keeps the joins among its own identities.

    Raises:
        IndexError: there is no such join, or it was undone.
    """
    undone = record.joins[join]
    if join < 0 or undone.undone_at is not None:
        raise IndexError(join)
    leaving = set(undone.brought)
    mark = {"undone_at": at, "undone_by": by, "reason": reason}
    stays = tuple(
        each.model_copy(update=mark) if number == join else each
        for number, each in enumerate(record.joins)
        if number == join or not _among(each, leaving)
    )
    goes = tuple(
        each for number, each in enumerate(record.joins) if number != join and _among(each, leaving)
    )
    return (
        record.changed(
            identities=tuple(each for each in record.identities if each.hash not in leaving),
            joins=stays,
        ),
        CustomerRecord(
            desk=record.desk,
            id=new_id,
            identities=tuple(each for each in record.identities if each.hash in leaving),
            joins=goes,
        ),
    )


def _among(join: Join, hashes: Collection[str]) -> bool:
    return set(join.brought) <= set(hashes)
