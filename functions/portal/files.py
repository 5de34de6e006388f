"""Files that customers add to a message: photos, documents (contract, section 2; D10)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.events import Attachment
from functions.core.storage.files import Files, explain_refusal, refusal_reason
from functions.core.text.file_types import file_type

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.domain.rules import FileRules

MOST = 5
"""Files with one message; their size is bounded by that of the body."""


class NewAttachment(BaseModel):
    """A file in a JSON body; `content` is base64 (RFC 4648)."""

    model_config = ConfigDict(
        extra="forbid", str_strip_whitespace=True, defer_build=True, ser_json_bytes="base64"
    )

    name: str = Field(min_length=1, max_length=200)
    content_type: str = Field(
        default="application/octet-stream", max_length=100, pattern=r"^[\w.+-]+/[\w.+-]+$"
    )
    content: bytes

    @field_validator("content", mode="plain")
    @classmethod
    def _decoded(cls, given: object) -> bytes:
        # pydantic's own base64 type skips what is no base64, and a damaged file would be kept.
        try:
            content = b64decode(given, validate=True) if isinstance(given, str) else b""
        except ValueError:
            content = b""
        if not content:
            raise PydanticCustomError("base64", "base64 of at least one byte")
        return content


def keep(
    s3: S3Client, bucket: str, folder: str, files: Sequence[NewAttachment], rules: FileRules
) -> tuple[Attachment, ...]:
    """Keep files under the rules for what customers send, all of them or none.

    They are kept as bytes of no type: whoever opens one later saves it, and no browser runs it.

    Raises:
        InvalidInput: a file that is not accepted; every one is named.
    """
    kinds = rules.customers
    wrong = [
        FieldError(f"attachments.{index}", explain_refusal(why, kinds, rules))
        for index, file in enumerate(files)
        if (why := refusal_reason(file.content, file_type(file.content), kinds, rules))
    ]
    if wrong:
        raise InvalidInput("Some files are not accepted; see errors.", tuple(wrong))
    kept, _ = Files(s3, bucket).keep(folder, ((file.name, file.content) for file in files), rules)
    return kept
