"""Forms as browsers send them, without script too (HTML Standard, "Form submission")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from functions.core.domain.errors import InvalidInput
from functions.core.platform.web import Request

MAX_FIELDS = 200
"""Fields in one form."""

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(r';\s*name="([^"]*)"', re.IGNORECASE)
_FILE_NAME = re.compile(r';\s*filename="([^"]*)"', re.IGNORECASE)
_TYPE = re.compile(r"^content-type:\s*([\w.+-]+/[\w.+-]+)", re.IGNORECASE | re.MULTILINE)
_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""The characters that browsers escape in names (HTML Standard, "Multipart form data")."""


@dataclass(frozen=True)
class FormFile:
    """A file in a form."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class FormContent:
    """The fields of a form, each with its values in order, and its files."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    files: tuple[FormFile, ...] = ()

    def value(self, name: str) -> str:
        """Return the first value of a field, "" if it has none."""
        return (self.fields.get(name) or [""])[0]


def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form that was sent URL-encoded, each with its values in order.

    Raises:
        InvalidInput: the body cannot be read, or has more than `MAX_FIELDS` fields.
    """
    try:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise _unreadable() from error
    return _by_name(pairs)


def read_content(request: Request) -> FormContent:
    """Return the content of a form, which may have files.

    Raises:
        InvalidInput: as `read_form` says.
    """
    if not request.has_files:
        return FormContent(read_form(request))
    pairs: list[tuple[str, str]] = []
    files: list[FormFile] = []
    for head, content in _parts(request):
        name, file = _NAME.search(head), _FILE_NAME.search(head)
        if name is None:
            raise _unreadable()
        if file is None:
            pairs.append((_unescaped(name[1]), _decoded(content)))
        elif file[1] or content:  # a field for files that was left empty has neither
            kind = _TYPE.search(head)
            files.append(
                FormFile(
                    _unescaped(file[1]),
                    kind[1] if kind else "application/octet-stream",
                    content,
                )
            )
    return FormContent(_by_name(pairs), tuple(files))


def _parts(request: Request) -> Iterator[tuple[str, bytes]]:
    """Yield the header and the content of each part (RFC 7578, RFC 2046 section 5.1)."""
    found = _BOUNDARY.search(request.headers.get("content-type", ""))
    if found is None:
        raise _unreadable()
    mark = b"\r\n--" + (found[1] or found[2]).encode("latin-1", "replace")
    _, *parts = (b"\r\n" + request.body).split(mark, MAX_FIELDS + 1)
    if len(parts) > MAX_FIELDS or not parts or not parts[-1].startswith(b"--"):
        raise _unreadable()
    for part in parts[:-1]:
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            raise _unreadable()
        yield _decoded(head).strip(), content


def _by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        # Browsers send line breaks as CR LF.
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except ValueError as error:
        raise _unreadable() from error


def _unescaped(name: str) -> str:
    for escape, character in _ESCAPES.items():
        name = name.replace(escape, character)
    return name


def _unreadable() -> InvalidInput:
    return InvalidInput("The form cannot be read.")
