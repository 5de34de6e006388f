"""Decrypt a customer's contact, and what an agent wrote, for one delivery (G4, G10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.core.deliver.failures import Passing, Permanent, Unclear, classified_failures
from functions.core.platform.aws import original_context

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class OpenedContact(BaseModel):
    """The contact that intake sealed. Its `repr` and its errors do not reveal it."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    contact: str
    kind: Literal["phone", "email", "message"]
    name: str = ""
    message_id: str = ""

    def __repr__(self) -> str:
        return f"OpenedContact({self.kind})"

    __str__ = __repr__


def open_contact(
    client: KMSClient, key: str, desk: str, number: str, sealed: bytes | None
) -> OpenedContact:
    """Decrypt the contact of a ticket. KMS refuses that of another desk or ticket (its context).

    Args:
        key: the alias or ARN of the key that sealed it.
        sealed: the ciphertext, None if no item with it was found.

    Raises:
        Passing: KMS is busy, or the item has not reached the replica that was read.
        Permanent: it cannot be opened.
    """
    if sealed is None:
        raise Passing("the ticket's sealed contact cannot be read yet")
    plaintext = _decrypted(client, key, {"desk": desk, "ticket": number}, sealed)
    try:
        return OpenedContact.model_validate_json(plaintext)
    except ValidationError:
        raise Permanent("the sealed data is not a contact") from None


def open_outgoing(
    client: KMSClient, key: str, desk: str, number: str, pieces: tuple[bytes, ...]
) -> bytes:
    """Decrypt what an agent wrote to a ticket's customer (G10).

    Raises:
        Passing: KMS is busy.
        Permanent: it cannot be opened.
    """
    context = original_context(desk, number, "outgoing")
    return b"".join(_decrypted(client, key, context, piece) for piece in pieces)


def _decrypted(client: KMSClient, key: str, context: dict[str, str], sealed: bytes) -> bytes:
    try:
        with classified_failures("KMS"):
            response = client.decrypt(CiphertextBlob=sealed, KeyId=key, EncryptionContext=context)
    except Unclear as error:
        raise Passing(str(error)) from None  # decrypting twice does no harm
    plaintext: bytes = response["Plaintext"]
    return plaintext
