"""Files that customers attach to a message: photos, documents (docs/http.md; D10)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, field_serializer, field_validator
from pydantic_core import PydanticCustomError

from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.events import Attachment
from functions.core.pages.forms import FormContent, FormFile
from functions.core.storage.files import Files, explain_refusal, refusal_reason
from functions.core.text.error_texts import translated
from functions.core.text.file_types import file_type
from functions.core.text.tables import read_table

TEXTS = read_table("portal")

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.domain.rules import FileRules, Locale

MAX_FILES = 5
"""Files with one message; the limit of the body limits their size."""


class NewAttachment(BaseModel):
    """A file in a JSON body; `content` is base64 (RFC 4648)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    name: str = Field(min_length=1, max_length=200)
    content_type: str = Field(
        default="application/octet-stream", max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+$"
    )
    content: bytes

    @field_validator("content", mode="plain", json_schema_input_type=Base64Bytes)
    @classmethod
    def _decode(cls, encoded: object) -> bytes:
        # pydantic's own base64 type skips invalid characters, so a damaged file would be stored.
        try:
            content = b64decode(encoded, validate=True) if isinstance(encoded, str) else b""
        except ValueError:
            content = b""
        if not content:
            raise PydanticCustomError("base64", "base64 of at least one byte")
        return content

    @field_serializer("content", when_used="json")
    def _encode(self, content: bytes) -> str:
        return b64encode(content).decode()


Keep = Callable[[str, Sequence[NewAttachment], "FileRules"], tuple[Attachment, ...]]
"""Stores a customer's files in a folder, under the desk's rules."""


def as_attachments(sent: Sequence[FormFile]) -> list[dict[str, str]]:
    """Return the files of a browser's form as programs send them."""
    return [
        {
            "name": file.name[:200] or "file",
            "content_type": file.content_type[:100],
            "content": b64encode(file.content).decode(),
        }
        for file in sent
    ]


def said_errors(error: InvalidInput, content: FormContent, locale: Locale) -> list[tuple[str, str]]:
    """Return what is wrong with each field of a form; a file is named."""
    said = []
    for each in error.errors or (FieldError("", error.detail),):
        name, message = each.field, translated(each.message, locale)
        if each.message == "this field is required":
            message = TEXTS["file.required"][locale]
        name, _, rest = name.partition(".") if name.startswith("attachments") else (name, "", "")
        index = rest.partition(".")[0]
        if index.isdigit() and int(index) < len(content.files):
            message = f"{content.files[int(index)].name}: {message}"
        said.append((name, message))
    return said


def require_accepted(files: Sequence[NewAttachment], rules: FileRules) -> None:
    """Require that the desk takes these files.

    Raises:
        InvalidInput: some files are not accepted; the error names each of them.
    """
    kinds = rules.customers
    wrong = [
        FieldError(f"attachments.{index}", explain_refusal(reason, kinds, rules))
        for index, file in enumerate(files)
        if (reason := refusal_reason(file.content, file_type(file.content), kinds, rules))
    ]
    if wrong:
        raise InvalidInput("Some files are not accepted.", tuple(wrong))


def keep(
    s3: S3Client, bucket: str, folder: str, files: Sequence[NewAttachment], rules: FileRules
) -> tuple[Attachment, ...]:
    """Store files under the rules for what customers send: all of them or none.

    They are stored as bytes without a type, so browsers download them and run none.

    Raises:
        InvalidInput: some files are not accepted; the error names each of them.
    """
    require_accepted(files, rules)
    stored, _ = Files(s3, bucket).keep(folder, ((file.name, file.content) for file in files), rules)
    return stored
