"""The call that undoes a wrong join of a customer's identities (C1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.core.domain.commands.base import WHOLE
from functions.core.domain.errors import Phrase
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.rights import SEPARATES_CUSTOMERS, require
from functions.core.text.masking import mask
from functions.workbench.calls import signed_in
from functions.workbench.view import record_view

if TYPE_CHECKING:
    from functions.core.storage.database import Storage


class SeparateCustomer(BaseModel):
    """The join to undo, by its number in the record, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    join: Annotated[int, Field(ge=0), WHOLE]
    reason: str = Field(min_length=1, max_length=500)


def separate(request: Request, storage: Storage, desk: str, customer: str) -> HttpResponse:
    """Undo a join: what it brought becomes a customer of its own again.

    Raises:
        NotFound: there is no such customer or join, or it was undone before.
        Forbidden: the caller is no supervisor.
    """
    principal, playbook = signed_in(request, storage, desk)
    require(principal, SEPARATES_CUSTOMERS, Phrase("separate customers"))
    body = request.read(SeparateCustomer)
    left = storage.customers.separate(
        desk,
        customer,
        body.join,
        by=principal.username,
        reason=mask(body.reason),
        at=request.now,
    )
    return HttpResponse(record_view(left, playbook))
