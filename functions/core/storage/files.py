"""The files of tickets, from mails, customers and agents, under one set of rules (D10).

Each file is checked by its content and stored under its digest with a safe name. Agents upload
files to S3 directly, under `uploads/`, where they expire soon. An accepted upload is written to
`files/` from the bytes that were checked, so a later change of the upload has no effect. Files are
read only through short-lived signed links, as downloads.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from functions.core.domain.errors import FieldError, InvalidInput, Phrase
from functions.core.domain.events import Attachment
from functions.core.domain.ticket import RefusedFile
from functions.core.text.file_types import (
    MACROS,
    PROGRAM,
    FileType,
    accepted,
    file_type,
    name_with_ending,
    safe_name,
)
from functions.core.text.masking import mask

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.domain.rules import FileKind, FileRules
    from functions.core.text.shapes import OfferedUpload

MEGABYTE = 1024 * 1024

MAX_BYTES = 20 * MEGABYTE
"""The most bytes of a file, whatever the playbook says."""

MAX_FILES = 10
"""The most files of one action."""

MAX_REFUSED = 50
"""The most refused files of one message that the ticket names."""

LINK_LIFETIME = timedelta(minutes=5)
"""The lifetime of a link to a file."""

UPLOAD_LIFETIME = timedelta(minutes=15)
"""The time within which a requested upload has to start."""

FILES = "files/"
UPLOADS = "uploads/"

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
OPAQUE_TYPE = "application/octet-stream"
"""The media type of stored files, which no browser renders or runs."""


@dataclass(frozen=True)
class Files:
    """The files of tickets in the mail bucket."""

    s3: S3Client
    bucket: str

    def link(self, file: Attachment) -> str:
        """Return a link that downloads the file; a browser never opens it in place."""
        name = quote(file.name, safe="")
        return self.s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": file.key,
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{name}",
                "ResponseContentType": OPAQUE_TYPE,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=int(LINK_LIFETIME.total_seconds()),
        )

    def create_upload(self, desk: str, number: str, name: str, size: int) -> OfferedUpload:
        """Return an upload for a file.

        Size and name are signed, so the client must send the headers unchanged.
        """
        upload = secrets.token_urlsafe(16)
        kept_name = quote(mask(safe_name(name)), safe="")
        url = self.s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket,
                "Key": _upload_key(desk, number, upload),
                "ContentType": OPAQUE_TYPE,
                "ContentLength": size,
                "Metadata": {"name": kept_name},
            },
            ExpiresIn=int(UPLOAD_LIFETIME.total_seconds()),
        )
        headers = {
            "Content-Type": OPAQUE_TYPE,
            "Content-Length": str(size),
            "x-amz-meta-name": kept_name,
        }
        return {
            "id": upload,
            "upload": {"url": url, "method": "PUT", "headers": headers},
            "expires_in": int(UPLOAD_LIFETIME.total_seconds()),
        }

    def keep(
        self,
        folder: str,
        files: Iterable[tuple[str, bytes]],
        rules: FileRules,
        refused: str | None = None,
    ) -> tuple[tuple[Attachment, ...], tuple[RefusedFile, ...]]:
        """Store a customer's files, as (name, content); return the stored and the refused ones.

        Files are stored under their digests, so a repetition writes no copy.

        Args:
            folder: the desk and the ticket or mail that the files belong to. Nothing else shares
                it, so erasing a ticket deletes its files and no others (B10).
            refused: a reason to refuse all files, if any.
        """
        stored: dict[tuple[str, str], Attachment] = {}
        rejected: list[RefusedFile] = []
        for name, content in files:
            actual = file_type(content)
            reason = refused or refusal_reason(content, actual, rules.customers, rules)
            shown = mask(safe_name(name))
            if reason is None:
                file = _named(folder, content, actual, shown)
                if (file.name, file.key) in stored:
                    continue
                if len(stored) < rules.most:
                    self._put(file, content)
                    stored[file.name, file.key] = file
                    continue
            if len(rejected) < MAX_REFUSED:
                reason = reason or "count"
                rejected.append(RefusedFile(name=shown, size=len(content), reason=reason))
        return tuple(stored.values()), tuple(rejected)

    def accept_uploads(
        self, desk: str, number: str, ids: Sequence[str], rules: FileRules
    ) -> tuple[Attachment, ...]:
        """Turn the uploads of a ticket into attachments, each checked by its content.

        Raises:
            InvalidInput: an id without an upload or a file that is not accepted; all are named.
        """
        attachments: list[Attachment] = []
        errors: list[FieldError] = []
        for index, upload in enumerate(dict.fromkeys(ids)):
            attachment = self._accept(desk, number, upload, rules)
            if isinstance(attachment, Phrase):
                errors.append(FieldError(f"attachments.{index}", attachment))
            else:
                attachments.append(attachment)
        if errors:
            raise InvalidInput("Some files are not accepted.", tuple(errors))
        return tuple(attachments)

    def _accept(self, desk: str, number: str, upload: str, rules: FileRules) -> Attachment | Phrase:
        """Return one upload as an attachment, or an error text."""
        from botocore.exceptions import ClientError

        missing = Phrase("nothing was uploaded under this id; upload the file first")
        if not _ID.fullmatch(upload):
            return missing
        try:
            upload_object = self.s3.get_object(
                Bucket=self.bucket, Key=_upload_key(desk, number, upload)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchKey", "404", "AccessDenied"}:
                raise
            return missing
        if upload_object["ContentLength"] > rules.max_mb * MEGABYTE:
            return explain_refusal("size", rules.agents, rules)
        content = upload_object["Body"].read()
        actual = file_type(content)
        reason = refusal_reason(content, actual, rules.agents, rules)
        if reason is not None:
            return explain_refusal(reason, rules.agents, rules)
        # The name is signed, so it is the safe one that `create_upload` made.
        name = unquote(upload_object["Metadata"].get("name", ""))
        file = _named(f"{desk}/{number}", content, actual, name)
        self._put(file, content)
        return file

    def _put(self, file: Attachment, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=file.key, Body=content, ContentType=OPAQUE_TYPE)


def refusal_reason(
    content: bytes, actual: FileType, kinds: tuple[FileKind, ...], rules: FileRules
) -> str | None:
    """Return why a file is refused: `size`, `program`, `macros` or `kind`; None if accepted."""
    if len(content) > rules.max_mb * MEGABYTE:
        return "size"
    if actual in (PROGRAM, MACROS):
        return actual.name
    return None if actual.kind in kinds else "kind"


def explain_refusal(reason: str, kinds: tuple[FileKind, ...], rules: FileRules) -> Phrase:
    """Explain the reason to the sender of the file."""
    if reason == "size":
        return Phrase("{limit} MB at most", limit=rules.max_mb)
    if reason == "program":
        return Phrase("programs are not accepted; send a photo or a document instead")
    if reason == "macros":
        return Phrase("files with macros are not accepted; save it without them and send it again")
    return Phrase("the content is another type; accepted types: {types}", types=accepted(kinds))


def _named(folder: str, content: bytes, actual: FileType, name: str) -> Attachment:
    key = f"{FILES}{folder}/{sha256(content).hexdigest()}"
    return Attachment(
        name=name_with_ending(name, actual), content_type=actual.media, size=len(content), key=key
    )


def _upload_key(desk: str, number: str, upload: str) -> str:
    return f"{UPLOADS}{desk}/{number}/{upload}"
