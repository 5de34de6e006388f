"""AWS clients and the deployment's parameters, made at first use and kept for the container.

botocore's retries are set to `standard` with enough attempts to ride out throttling; each call has
a timeout well below the function's own, so that a hanging service surfaces as an error that the
batch logic can hand back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ssm import SSMClient


KMS_MOST = 4096
"""Bytes that KMS encrypts at once (KMS API reference, Encrypt)."""


@lru_cache(maxsize=16)
def client(service: str) -> Any:
    """A boto3 client, typed by the caller; one a service and container."""
    import boto3
    from botocore.config import Config

    # Left to itself, botocore signs links in us-east-1 by the old scheme (which newer buckets
    # refuse) and elsewhere for an address that redirects, which an upload does not follow.
    regional = service == "s3" and not os.environ.get("AWS_ENDPOINT_URL")
    return boto3.client(
        service,  # type: ignore[call-overload]  # the name is the caller's choice
        config=Config(
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "virtual"} if regional else None,
            retries={"mode": "standard", "total_max_attempts": 5},
            connect_timeout=3,
            read_timeout=10,
            # The function's name travels in the user agent, so that a trail of API calls
            # (CloudTrail) tells which function made which.
            user_agent_appid=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "deskbell")[:50],  # type: ignore[call-arg]  # missing in its stubs
        ),
    )


def dynamodb() -> DynamoDBClient:
    """The DynamoDB client."""
    found: DynamoDBClient = client("dynamodb")
    return found


@lru_cache(maxsize=64)
def parameter(name: str) -> str:
    """The value of an SSM parameter, decrypted, read once a container."""
    return _read(name)


def _read(name: str) -> str:
    ssm: SSMClient = client("ssm")
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def settings(deployment: Deployment) -> dict[str, str]:
    """What the foundation wrote down about itself (`/deskbell/<stage>/settings`)."""
    found: dict[str, str] = json.loads(parameter(deployment.parameter("settings")))
    return found


def public_url(deployment: Deployment) -> str:
    """The address under which customers reach the HTTP API, without a trailing slash."""
    found: dict[str, str] = json.loads(parameter(deployment.parameter("api")))
    return found["url"].rstrip("/")


def root_key(deployment: Deployment) -> bytes:
    """The deployment's root key (32 bytes), from which `core.text.tokens` derives others."""
    from base64 import b64decode

    return b64decode(parameter(deployment.parameter("key")))


def seal(deployment: Deployment, desk: str, number: str, contact: bytes) -> bytes:
    """Encrypt a contact under the deployment's key, bound to its desk and ticket (G4).

    KMS refuses to decrypt it under any other encryption context, and only `notify` may ask.
    """
    answer = client("kms").encrypt(
        KeyId=deployment.contacts_key,
        Plaintext=contact,
        EncryptionContext={"desk": desk, "ticket": number},
    )
    sealed: bytes = answer["CiphertextBlob"]
    return sealed


def seal_original(
    deployment: Deployment, desk: str, number: str, document: bytes
) -> tuple[bytes, ...]:
    """Encrypt what was hidden of a message, bound to its desk and ticket, in pieces that KMS takes.

    It is sealed for another purpose than a contact: `notify` cannot open it, and `unseal`, which
    can, opens no contact (G4).
    """
    pieces = [document[at : at + KMS_MOST] for at in range(0, len(document), KMS_MOST)]
    return tuple(
        client("kms").encrypt(
            KeyId=deployment.contacts_key,
            Plaintext=piece,
            EncryptionContext=original_context(desk, number),
        )["CiphertextBlob"]
        for piece in pieces
    )


def original_context(desk: str, number: str) -> dict[str, str]:
    """The encryption context of what was hidden of a ticket's messages."""
    return {"desk": desk, "ticket": number, "what": "original"}


def webhook_secret(deployment: Deployment, desk: str) -> str | None:
    """The secret with which a desk's channels sign, None where the desk has none."""
    return _if_there(parameter, deployment.parameter(f"desks/{desk}/webhook"))


def channel_secret(
    deployment: Deployment, desk: str, channel: str, now: datetime
) -> dict[str, Any] | None:
    """What a desk and a chat channel's provider know of each other, None where there is nothing.

    A container reads it anew each minute, so a new secret needs no deployment.
    """
    name = deployment.parameter(f"desks/{desk}/channels/{channel}")
    written = of_this_minute(name, int(now.timestamp() // 60))
    found: dict[str, Any] | None = None if written is None else json.loads(written)
    return found


@lru_cache(maxsize=64)
def of_this_minute(name: str, _minute: int) -> str | None:
    """An SSM parameter that may change while containers live; the minute is only for the cache."""
    return _if_there(_read, name)


def _if_there(read: Callable[[str], str], name: str) -> str | None:
    from botocore.exceptions import ClientError

    try:
        return read(name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ParameterNotFound", "ValidationException"}:
            return None
        raise
