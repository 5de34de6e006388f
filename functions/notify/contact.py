"""Decrypt a customer's contact for one delivery (G4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.notify.deliver.failures import Passing, Permanent, Unclear, classified_failures

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
    try:
        with classified_failures("KMS"):
            response = client.decrypt(
                CiphertextBlob=sealed, KeyId=key, EncryptionContext={"desk": desk, "ticket": number}
            )
    except Unclear as error:
        raise Passing(str(error)) from None  # decrypting twice does no harm
    try:
        return OpenedContact.model_validate_json(response["Plaintext"])
    except ValidationError:
        raise Permanent("the sealed data is not a contact") from None
