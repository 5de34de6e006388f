"""E-mail by Amazon SES, as a raw message, so that its headers are Deskbell's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.notify.deliver.failures import Permanent, sorted_failures

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


def deliverable(address: str) -> str:
    """The address as SES takes it: ASCII, the domain in Punycode (SES, "Raw email").

    Raises:
        Permanent: it is no address, or its local part is not ASCII, which SES does not deliver to.
    """
    local, at, domain = address.rpartition("@")
    try:
        local.encode("ascii")
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError:
        raise Permanent("email: not an address that SES delivers to") from None
    if not (local and at and ascii_domain) or any(c.isspace() for c in address):
        raise Permanent("email: not an address")
    return f"{local}@{ascii_domain}"


def send(client: SESV2Client, sender: str, to: str, raw: bytes, configuration_set: str) -> str:
    """Send one message; SES's own id of it.

    Args:
        configuration_set: through which SES tells of bounces and complaints.

    Raises:
        SendFailure: it is not known to have gone out.
    """
    with sorted_failures("SES"):
        answer = client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [to]},
            Content={"Raw": {"Data": raw}},
            ConfigurationSetName=configuration_set,
        )
    return answer["MessageId"]
