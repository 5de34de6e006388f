"""Messages as they came, in the mail bucket: raw mails, and the bodies of chat requests."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import DeadLetter
from functions.core.storage.quarantined import quarantine

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RawMessages:
    """The raw messages of a deployment."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self.client = client
        self.bucket = bucket

    def get(self, key: str) -> bytes:
        """Return a raw message.

        Raises:
            DeadLetter: it is not in the bucket.
        """
        from botocore.exceptions import ClientError

        try:
            return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            # A caller that may not list the bucket gets AccessDenied for a missing key (GetObject).
            if error.response["Error"]["Code"] in {"NoSuchKey", "404", "AccessDenied"}:
                raise DeadLetter(f"the mail {key} is not in the bucket") from error
            raise

    def put(self, raw: bytes) -> str:
        """Store a message under its digest, and return its key."""
        key = f"mail/{sha256(raw).hexdigest()}"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=raw)
        return key

    def hold(self, raw: bytes, desk: str, cause: str, call: Mapping[str, Any]) -> None:
        """Quarantine a message; `call` is the desk and channel, and the query of a whole request
        that can be read again.
        """
        quarantine(self.client, self.bucket, raw, self.put(raw), desk, cause, call=call)
