"""The customer's contact, opened for one delivery (G4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from functions.notify.deliver.failures import Passing, Permanent, Unclear, sorted_failures

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class OpenContact(BaseModel):
    """What intake sealed. It does not show itself in logs and error messages."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    contact: str
    kind: Literal["phone", "email", "message"]
    name: str = ""
    message_id: str = ""

    def __repr__(self) -> str:
        return f"OpenContact({self.kind})"

    __str__ = __repr__


def open_contact(
    client: KMSClient, key: str, desk: str, number: str, sealed: bytes | None
) -> OpenContact:
    """Decrypt the contact of a ticket. KMS refuses another desk's or ticket's (its context).

    Args:
        key: the alias or ARN of the key that it was sealed with.
        sealed: what the ticket's first event item holds.

    Raises:
        Passing: KMS is busy, or the item has not reached the replica that was read.
        Permanent: it cannot be opened.
    """
    if sealed is None:
        raise Passing("the contact is not on file yet")
    try:
        with sorted_failures("KMS"):
            answer = client.decrypt(
                CiphertextBlob=sealed,
                KeyId=key,
                EncryptionContext={"desk": desk, "ticket": number},
            )
    except Unclear as error:
        raise Passing(str(error)) from None  # opening a contact twice does no harm
    try:
        return OpenContact.model_validate_json(answer["Plaintext"])
    except ValidationError:
        raise Permanent("what was sealed is not a contact") from None
