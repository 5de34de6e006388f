"""D10: files that agents add: uploaded to S3 directly, checked by content, kept under a digest.

An upload is only a guest: it stands under `uploads/` for a short while, and what is accepted is
written anew under `files/` from the very bytes that were checked, so that an upload changed
afterwards changes nothing. Nobody is ever handed a file but by a short-lived signed link that
offers it to be saved.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from functions.core.errors import FieldError, InvalidInput
from functions.core.events import Attachment
from functions.core.filetypes import ACCEPTED, FileType, file_type, named_as
from functions.core.privacy import mask

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_BYTES = 20 * 1024 * 1024
"""Bytes of a file at most."""

MOST = 10
"""Files with one action at most."""

LINK_SECONDS = 300
"""How long a link to a file can be followed."""

UPLOAD_SECONDS = 900
"""How long an upload may begin after it was asked for."""

FILES = "files/"
UPLOADS = "uploads/"

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_NO_TYPE = "application/octet-stream"


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
                "ResponseContentType": _NO_TYPE,
            },
            ExpiresIn=LINK_SECONDS,
        )

    def offer(self, desk: str, number: str, name: str, size: int) -> dict[str, Any]:
        """Where to put a file of `size` bytes: `{id, upload {url, method, headers}, expires_in}`.

        Size and name are part of the signature, so the headers have to be sent as they are.
        """
        upload = secrets.token_urlsafe(16)
        kept_name = quote(mask(name), safe="")
        url = self.s3.generate_presigned_url(
            "put_object",
            Params={
                "Bucket": self.bucket,
                "Key": _upload_key(desk, number, upload),
                "ContentType": _NO_TYPE,
                "ContentLength": size,
                "Metadata": {"name": kept_name},
            },
            ExpiresIn=UPLOAD_SECONDS,
        )
        headers = {
            "Content-Type": _NO_TYPE,
            "Content-Length": str(size),
            "x-amz-meta-name": kept_name,
        }
        return {
            "id": upload,
            "upload": {"url": url, "method": "PUT", "headers": headers},
            "expires_in": UPLOAD_SECONDS,
        }

    def accept(self, desk: str, number: str, ids: Sequence[str]) -> tuple[Attachment, ...]:
        """The uploads of a ticket as its attachments, each checked by its content.

        Raises:
            InvalidInput: an id without an upload, or a file that is not accepted; every one is
                named.
        """
        found: list[Attachment] = []
        wrong: list[FieldError] = []
        for index, upload in enumerate(dict.fromkeys(ids)):
            one = self._accept(desk, number, upload)
            if isinstance(one, str):
                wrong.append(FieldError(f"attachments.{index}", one))
            else:
                found.append(one)
        if wrong:
            raise InvalidInput("Some files are not accepted; see errors.", tuple(wrong))
        return tuple(found)

    def _accept(self, desk: str, number: str, upload: str) -> Attachment | str:
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
        if given["ContentLength"] > MAX_BYTES:
            return f"{MAX_BYTES // 1024 // 1024} MB at most"
        content = given["Body"].read()
        kind = file_type(content)
        if kind is None:
            return f"the content is none of these: {accepted()}"
        return self._keep(desk, content, kind, unquote(given["Metadata"].get("name", "")))

    def _keep(self, desk: str, content: bytes, kind: FileType, name: str) -> Attachment:
        key = f"{FILES}{desk}/{sha256(content).hexdigest()}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, ContentType=_NO_TYPE)
        return Attachment(
            name=named_as(name, kind), content_type=kind.media, size=len(content), key=key
        )


def accepted() -> str:
    """What may be sent, for people: `JPEG, PNG, …`."""
    return ", ".join(dict.fromkeys(kind.name for kind in ACCEPTED))


def _upload_key(desk: str, number: str, upload: str) -> str:
    return f"{UPLOADS}{desk}/{number}/{upload}"
