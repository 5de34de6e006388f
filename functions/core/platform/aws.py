"""AWS clients and the deployment's parameters, created on first use and cached for the container.

botocore retries in `standard` mode, with enough attempts to outlast short throttling. All attempts
of a call together end well before the function's time, so a service that hangs causes an error that
the caller or the batch can report.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.platform import metering
from functions.core.platform.settings import Deployment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ssm import SSMClient


KMS_LIMIT = 4096
"""Bytes that KMS encrypts in one call (KMS API reference, Encrypt)."""


@lru_cache(maxsize=16)
def client(service: str) -> Any:
    """Return a boto3 client, cached for the container and typed by the caller."""
    import boto3
    from botocore.config import Config

    # By default botocore signs links in us-east-1 with the old scheme, which newer buckets refuse,
    # and elsewhere for a host that redirects, which an upload does not follow.
    regional = service == "s3" and not os.environ.get("AWS_ENDPOINT_URL")
    made = boto3.client(
        service,  # type: ignore[call-overload]  # the name is the caller's choice
        config=Config(
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "virtual"} if regional else None,
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=2,
            read_timeout=5,
            # CloudTrail then shows which function made a call.
            user_agent_appid=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "deskbell")[:50],  # type: ignore[call-arg]  # missing in its stubs
        ),
    )
    return metering.watch(made)


def dynamodb() -> DynamoDBClient:
    dynamodb_client: DynamoDBClient = client("dynamodb")
    return dynamodb_client


@lru_cache(maxsize=64)
def parameter(name: str) -> str:
    """Return the decrypted value of an SSM parameter, read once a container."""
    return _read(name)


def _read(name: str) -> str:
    ssm: SSMClient = client("ssm")
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def settings(deployment: Deployment) -> dict[str, str]:
    """Return the settings that the foundation stack wrote (`/deskbell/<stage>/settings`)."""
    values: dict[str, str] = json.loads(parameter(deployment.parameter("settings")))
    return values


def public_url(deployment: Deployment) -> str:
    """Return the URL at which customers reach the HTTP API, without a trailing slash."""
    api: dict[str, str] = json.loads(parameter(deployment.parameter("api")))
    return api["url"].rstrip("/")


@lru_cache(maxsize=4)
def upload_origin(deployment: Deployment) -> str:
    """Return the origin of the signed links to which browsers upload files."""
    from urllib.parse import urlsplit

    bucket = {"Bucket": deployment.mail_bucket, "Key": "uploads/"}
    link = urlsplit(client("s3").generate_presigned_url("put_object", Params=bucket))
    return f"{link.scheme}://{link.netloc}"


def root_key(deployment: Deployment) -> bytes:
    """Return the deployment's root key (32 bytes), from which `core.text.tokens` derives others."""
    from base64 import b64decode

    return b64decode(parameter(deployment.parameter("key")))


def seal(deployment: Deployment, desk: str, number: str, contact: bytes) -> bytes:
    """Encrypt a contact under the deployment's key, bound to its desk and ticket (G4).

    KMS refuses to decrypt it under any other encryption context, and only `notify` and, against a
    recorded act, `unseal` may decrypt.
    """
    response = client("kms").encrypt(
        KeyId=deployment.contacts_key,
        Plaintext=contact,
        EncryptionContext=contact_context(desk, number),
    )
    sealed: bytes = response["CiphertextBlob"]
    return sealed


def seal_original(
    deployment: Deployment, desk: str, number: str, document: bytes, what: str = "original"
) -> tuple[bytes, ...]:
    """Encrypt an original, bound to its desk and ticket, in pieces that KMS accepts.

    Its encryption context differs from that of a contact: `notify` opens no customer's original,
    only what an agent wrote to a customer (`what` is `outgoing`).
    """
    pieces = [document[at : at + KMS_LIMIT] for at in range(0, len(document), KMS_LIMIT)]
    return tuple(
        client("kms").encrypt(
            KeyId=deployment.contacts_key,
            Plaintext=piece,
            EncryptionContext=original_context(desk, number, what),
        )["CiphertextBlob"]
        for piece in pieces
    )


def contact_context(desk: str, number: str) -> dict[str, str]:
    return {"desk": desk, "ticket": number}


def original_context(desk: str, number: str, what: str = "original") -> dict[str, str]:
    """Return the encryption context of a ticket's originals: `original` or `outgoing`."""
    return {"desk": desk, "ticket": number, "what": what}


def webhook_secret(deployment: Deployment, desk: str) -> str | None:
    """Return the secret with which a desk's channels sign, None if the desk has none."""
    return _read_if_exists(parameter, deployment.parameter(f"desks/{desk}/webhook"))


def channel_secret(
    deployment: Deployment, desk: str, channel: str, now: datetime
) -> dict[str, Any] | None:
    """Return a desk's secret of a chat channel, None if the desk does not have the channel.

    A container reads it again every minute, so a new secret needs no deployment.
    """
    name = deployment.parameter(f"desks/{desk}/channels/{channel}")
    document = parameter_of_minute(name, int(now.timestamp() // 60))
    secret: dict[str, Any] | None = None if document is None else json.loads(document)
    return secret


def sms_secret(
    deployment: Deployment, desk: str, provider: str, now: datetime
) -> dict[str, Any] | None:
    """Return a desk's secret of a provider of text messages, read every minute; None if none."""
    name = deployment.parameter(f"desks/{desk}/sms/{provider}")
    document = parameter_of_minute(name, int(now.timestamp() // 60))
    secret: dict[str, Any] | None = None if document is None else json.loads(document)
    return secret


def source_secret(deployment: Deployment, desk: str, name: str, now: datetime) -> str | None:
    """Return the secret that signs a desk's look-ups, read every minute; None if there is none."""
    parameter = deployment.parameter(f"desks/{desk}/sources/{name}")
    return parameter_of_minute(parameter, int(now.timestamp() // 60))


def model_secret(deployment: Deployment, desk: str, name: str, now: datetime) -> str | None:
    """Return the key of a desk's language model, read every minute; None if there is none."""
    parameter = deployment.parameter(f"desks/{desk}/models/{name}")
    return parameter_of_minute(parameter, int(now.timestamp() // 60))


def engine_libraries(deployment: Deployment) -> str | None:
    """Return what names the libraries of `answers` (`answers.bundle`), None if there are none."""
    return _read_if_exists(parameter, deployment.parameter("engine"))


@lru_cache(maxsize=64)
def parameter_of_minute(name: str, _minute: int) -> str | None:
    """Return an SSM parameter that may change while containers live, cached for one minute."""
    return _read_if_exists(_read, name)


def _read_if_exists(read: Callable[[str], str], name: str) -> str | None:
    from botocore.exceptions import ClientError

    try:
        return read(name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ParameterNotFound", "ValidationException"}:
            return None
        raise
