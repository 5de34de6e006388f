"""Objects in S3 that may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def read_object(s3: S3Client, bucket: str, name: str) -> bytes | None:
    """Return an object of a bucket; None if there is none."""
    from botocore.exceptions import ClientError

    try:
        return s3.get_object(Bucket=bucket, Key=name)["Body"].read()
    except ClientError as error:
        # Who may not list a bucket gets AccessDenied for what is missing.
        if error.response["Error"]["Code"] not in {"NoSuchKey", "AccessDenied"}:
            raise
        return None
