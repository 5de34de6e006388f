"""Send mail with Amazon SES, as raw messages, since Deskbell sets its own headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.deliver.failures import Permanent, classified_failures

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


def deliverable(address: str) -> str:
    """Return an address as SES accepts it: ASCII, the domain in Punycode (SES, "Raw email").

    A domain in other scripts is converted by IDNA 2008 and UTS 46: Python's codec, of IDNA 2003,
    turns `straße.de` into another owner's `strasse.de`.

    Raises:
        Permanent: it is not an address, or SES cannot deliver to it (a local part in non-ASCII).
    """
    local, at, domain = address.rpartition("@")
    try:
        local.encode("ascii")
        ascii_domain = domain if domain.isascii() else _punycode(domain)
    except UnicodeError:
        raise Permanent("email: not an address that SES delivers to") from None
    if not (local and at and ascii_domain) or any(c.isspace() for c in address):
        raise Permanent("email: not an address")
    return f"{local}@{ascii_domain}"


def _punycode(domain: str) -> str:
    import idna

    return idna.encode(domain, uts46=True).decode()


def send(client: SESV2Client, sender: str, to: str, raw: bytes, configuration_set: str) -> str:
    """Send one message and return SES's message id.

    Args:
        configuration_set: publishes bounces and complaints.

    Raises:
        SendFailure: the message is not known to have gone out.
    """
    with classified_failures("SES"):
        response = client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [to]},
            Content={"Raw": {"Data": raw}},
            ConfigurationSetName=configuration_set,
        )
    return response["MessageId"]
