"""Forms as browsers send them, without script too (HTML Standard, "Form submission")."""

from __future__ import annotations

from urllib.parse import parse_qsl

from functions.core.domain.errors import InvalidInput
from functions.core.platform.web import Request

MAX_FIELDS = 200
"""Fields in one form."""


def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form that was sent URL-encoded, each with its values in order.

    Raises:
        InvalidInput: the body cannot be read, or has more than `MAX_FIELDS` fields.
    """
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise InvalidInput("The form cannot be read.") from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        # Browsers send line breaks as CR LF.
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields
