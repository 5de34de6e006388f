"""D10: files of tickets, from mails, customers and agents: one set of rules for all.

Each is checked by its content and kept under its digest, with a name that is harmless and tells
what it is. What agents add is uploaded to S3 directly, and an upload is only a guest: it stands
under `uploads/` for a short while, and what is accepted is written anew under `files/` from the
very bytes that were checked, so that an upload changed afterwards changes nothing. Nobody is ever
handed a file but by a short-lived signed link that offers it to be saved.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from functions.core.domain.errors import FieldError, InvalidInput
from functions.core.domain.events import Attachment
from functions.core.domain.ticket import RefusedFile
from functions.core.text.file_types import (
    MACROS,
    PROGRAM,
    FileType,
    accepted,
    file_type,
    named_as,
    safe_name,
)
from functions.core.text.masking import mask

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from functions.core.domain.rules import FileKind, FileRules

MEGABYTE = 1024 * 1024

MAX_BYTES = 20 * MEGABYTE
"""Bytes of a file at most, whatever the desk says."""

MOST = 10
"""Files with one action at most."""

MOST_NAMED = 50
"""Files of one message that are named although they are not kept."""

LINK_HOLDS = timedelta(minutes=5)
"""How long a link to a file can be followed."""

UPLOAD_WAITS = timedelta(minutes=15)
"""How long an upload may begin after it was asked for."""

FILES = "files/"
UPLOADS = "uploads/"

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
NO_TYPE = "application/octet-stream"
"""What a file is kept as: bytes of no type, which no browser runs."""


@dataclass(frozen=True)
class Files:
    """The files of tickets, in the mail bucket."""

    s3: S3Client
    bucket: str

    def link(self, file: Attachment) -> str:
        """A link that offers the file to be saved; a browser never opens it in place."""
        name = quote(file.name, safe="")
        return self.s3.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": file.key,
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{name}",
                "ResponseContentType": NO_TYPE,
                "ResponseCacheControl": "private, no-store",
            },
            ExpiresIn=int(LINK_HOLDS.total_seconds()),
        )

    def offer(self, desk: str, number: str, name: str, size: int) -> dict[str, Any]:
        """Where to put a file of `size` bytes: `{id, upload {url, method, headers}, expires_in}`.

        Size and name are part of the signature, so the headers have to be sent as they are.
        """
        upload = secrets.token_urlsafe(16)
        kept_name = quote(mask(safe_name(name)), safe="")
        url = self.s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket,
                "Key": _upload_key(desk, number, upload),
                "ContentType": NO_TYPE,
                "ContentLength": size,
                "Metadata": {"name": kept_name},
            },
            ExpiresIn=int(UPLOAD_WAITS.total_seconds()),
        )
        headers = {
            "Content-Type": NO_TYPE,
            "Content-Length": str(size),
            "x-amz-meta-name": kept_name,
        }
        return {
            "id": upload,
            "upload": {"url": url, "method": "PUT", "headers": headers},
            "expires_in": int(UPLOAD_WAITS.total_seconds()),
        }

    def keep(
        self,
        folder: str,
        found: Iterable[tuple[str, bytes]],
        rules: FileRules,
        refused: str | None = None,
    ) -> tuple[tuple[Attachment, ...], tuple[RefusedFile, ...]]:
        """Keep the files of a customer, (name, content) each; those kept, and those not with why.

        Each is kept under its own digest, so that a repetition writes no copy.

        Args:
            folder: the desk and what they came with, a ticket or a mail. Nothing else shares it, so
                a file ends with its ticket, and no erasure takes another's (B10).
            refused: why none of them may be kept, if so.
        """
        kept: dict[tuple[str, str], Attachment] = {}
        left: list[RefusedFile] = []
        for name, content in found:
            kind = file_type(content)
            why = refused or wrong_with(content, kind, rules.customers, rules)
            shown = mask(safe_name(name))
            if why is None:
                file = _named(folder, content, kind, shown)
                if (file.name, file.key) in kept:
                    continue
                if len(kept) < rules.most:
                    self._put(file, content)
                    kept[file.name, file.key] = file
                    continue
            if len(left) < MOST_NAMED:
                left.append(RefusedFile(name=shown, size=len(content), reason=why or "count"))
        return tuple(kept.values()), tuple(left)

    def accept(
        self, desk: str, number: str, ids: Sequence[str], rules: FileRules
    ) -> tuple[Attachment, ...]:
        """The uploads of a ticket as its attachments, each checked by its content.

        Raises:
            InvalidInput: an id without an upload, or a file that is not accepted; every one is
                named.
        """
        found: list[Attachment] = []
        wrong: list[FieldError] = []
        for index, upload in enumerate(dict.fromkeys(ids)):
            one = self._accept(desk, number, upload, rules)
            if isinstance(one, str):
                wrong.append(FieldError(f"attachments.{index}", one))
            else:
                found.append(one)
        if wrong:
            raise InvalidInput("Some files are not accepted; see errors.", tuple(wrong))
        return tuple(found)

    def _accept(self, desk: str, number: str, upload: str, rules: FileRules) -> Attachment | str:
        """One upload, kept; or what is wrong with it."""
        from botocore.exceptions import ClientError

        missing = "nothing has been uploaded under this id"
        if not _ID.fullmatch(upload):
            return missing
        try:
            given = self.s3.get_object(Bucket=self.bucket, Key=_upload_key(desk, number, upload))
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchKey", "404", "AccessDenied"}:
                raise
            return missing
        if given["ContentLength"] > rules.max_mb * MEGABYTE:
            return in_words("size", rules.agents, rules)
        content = given["Body"].read()
        kind = file_type(content)
        why = wrong_with(content, kind, rules.agents, rules)
        if why is not None:
            return in_words(why, rules.agents, rules)
        # The name is part of the link's signature, so it is the one that was made safe there.
        file = _named(f"{desk}/{number}", content, kind, unquote(given["Metadata"].get("name", "")))
        self._put(file, content)
        return file

    def _put(self, file: Attachment, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=file.key, Body=content, ContentType=NO_TYPE)


def wrong_with(
    content: bytes, found: FileType, kinds: tuple[FileKind, ...], rules: FileRules
) -> str | None:
    """Why a file is not kept: `size`, `program`, `macros`, `kind`; None where it is."""
    if len(content) > rules.max_mb * MEGABYTE:
        return "size"
    if found in (PROGRAM, MACROS):
        return found.name
    return None if found.kind in kinds else "kind"


def in_words(why: str, kinds: tuple[FileKind, ...], rules: FileRules) -> str:
    """A reason for whoever sends the file."""
    if why == "size":
        return f"{rules.max_mb} MB at most"
    what = {"program": "a program", "macros": "a file with macros"}.get(why, "something else")
    return f"the content is {what}, and accepted is: {accepted(kinds)}"


def _named(folder: str, content: bytes, found: FileType, name: str) -> Attachment:
    key = f"{FILES}{folder}/{sha256(content).hexdigest()}"
    return Attachment(
        name=named_as(name, found), content_type=found.media, size=len(content), key=key
    )


def _upload_key(desk: str, number: str, upload: str) -> str:
    return f"{UPLOADS}{desk}/{number}/{upload}"
