"""Acts on a desk's chat channels: which are connected (H7). The console alone sets secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.administration.acts import Administration, act
from functions.core.platform import aws

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@act("supervisor", "admin")
def connected(administration: Administration) -> dict[str, str]:
    """Return the connected channels and when their secrets were changed, never the secrets."""
    ssm: SSMClient = aws.client("ssm")
    path = administration.deployment.parameter(f"desks/{administration.desk}/channels")
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=False)
    return {
        parameter["Name"].rpartition("/")[2]: parameter["LastModifiedDate"].isoformat()
        for page in pages
        for parameter in page["Parameters"]
    }
