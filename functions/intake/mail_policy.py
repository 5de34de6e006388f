"""Which mails are let in, and how far their sender's address is believed (G3).

Pure. What SES found out about a mail stands in its announcement (AWS, "Contents of notifications
for Amazon SES email receiving"); of a mail that a provider posts it stands in the header that the
provider's own server wrote, where the desk names that server (RFC 8601). What follows is the
playbook's `mail.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from functions.core.domain.errors import Quarantined

if TYPE_CHECKING:
    from functions.core.domain.rules import Checks

_LIMITS = {
    "structure:parts": "more parts than are read",
    "structure:depth": "parts nested deeper than is read",
    "header:many": "more headers than are read",
}
"""Defects that mean that a part of the mail was not read at all."""

_HEADERS = 256 * 1024
_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_POLICY = re.compile(r"\b(?:p|policy\.[a-z-]+)\s*=\s*(none|quarantine|reject)\b", re.IGNORECASE)
_STATUS = {"pass": "PASS", "fail": "FAIL", "softfail": "FAIL", "permerror": "FAIL"}


@dataclass(frozen=True)
class Verdicts:
    """`PASS`, `FAIL`, `GRAY`, `PROCESSING_FAILED`, or empty where nobody looked.

    `dmarc_policy` is what the sender's domain wants done with its mail that fails: `none`,
    `quarantine`, `reject`; SES names it only then.
    """

    spam: str = ""
    virus: str = ""
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    dmarc_policy: str = ""

    @classmethod
    def of(cls, receipt: Mapping[str, Any]) -> Verdicts:
        """The verdicts of an announcement; whatever does not have their shape is no verdict."""
        found = {}
        for name in ("spam", "virus", "spf", "dkim", "dmarc"):
            verdict = receipt.get(f"{name}Verdict")
            status = verdict.get("status") if isinstance(verdict, Mapping) else None
            found[name] = status.upper() if isinstance(status, str) else ""
        policy = receipt.get("dmarcPolicy")
        return cls(**found, dmarc_policy=policy.lower() if isinstance(policy, str) else "")

    def receipt(self) -> dict[str, Any]:
        """The same as an announcement has them."""
        found: dict[str, Any] = {
            f"{name}Verdict": {"status": status}
            for name, status in asdict(self).items()
            if status and name != "dmarc_policy"
        }
        return {**found, "dmarcPolicy": self.dmarc_policy} if self.dmarc_policy else found


def of_header(raw: bytes, server: str) -> Verdicts:
    """The verdicts of the topmost `Authentication-Results` of a mail, if `server` wrote it.

    Whoever sends a mail can write such headers too, but only below those of the server that took
    it in, which removes others under its own name (RFC 8601, sections 4.1 and 5).
    """
    from functions.intake.mail import mime

    headers, _ = mime.headers_of(raw, 0, min(len(raw), _HEADERS), lambda _: None)
    values = (value for name, value in headers if name == "authentication-results")
    text = next(values, b"").decode("utf-8", "replace")
    name, _, results = text.partition(";")
    if not server or name.split()[:1] != [server]:
        return Verdicts()
    found: dict[str, str] = {}
    for method, result, rest in _RESULT.findall(results):
        status = _STATUS.get(result.lower(), "GRAY")
        # Of several signatures one that holds is enough (RFC 6376, section 6.1).
        if found.get(method.lower()) != "PASS":
            found[method.lower()] = status
        policy = _POLICY.search(rest) if method.lower() == "dmarc" else None
        if policy and status == "FAIL":
            found["dmarc_policy"] = policy.group(1).lower()
    return Verdicts(**found)


def infected(verdicts: Verdicts) -> bool:
    """Whether a virus was found: such a mail's files are never kept for download."""
    return verdicts.virus == "FAIL"


def believed(
    verdicts: Verdicts, checks: Checks, *, released: bool = False, even_infected: bool = False
) -> bool:
    """Whether the sender's address may say which ticket a mail belongs to.

    Args:
        released: somebody has looked at the mail in quarantine and wants it filed. Its sender is
            believed no more for that.
        even_infected: the same of a mail in which a virus was found.

    Raises:
        Quarantined: the mail belongs in quarantine.
    """
    consequences = set()
    for check, cause in _failed(verdicts).items():
        consequence = getattr(checks, check)
        passes = even_infected if check == "virus" else released
        if consequence == "quarantine" and not passes:
            raise Quarantined(cause)
        consequences.add(consequence)
    return consequences <= {"accept"}


def within_limits(size: int, defects: tuple[str, ...], checks: Checks) -> None:
    """Let a mail pass that is of a size and shape that is read whole.

    Raises:
        Quarantined: it exceeds a limit, or cannot be read at all.
    """
    if size > checks.max_mb * 1024 * 1024:
        raise Quarantined(
            f"limit: the mail has {size / 1024 / 1024:.1f} MB, {checks.max_mb} MB are taken"
        )
    for defect in defects:
        if defect in _LIMITS:
            raise Quarantined(f"limit: {_LIMITS[defect]}")
    if "parse:failed" in defects:
        raise Quarantined("broken: the mail cannot be read")


def _failed(verdicts: Verdicts) -> dict[str, str]:
    """The checks of a playbook that a mail does not pass, the gravest first, with their cause."""
    found = {}
    if infected(verdicts):
        found["virus"] = "virus: the scanner found one in this mail"
    if verdicts.spam == "FAIL":
        found["spam"] = "spam: the filter takes this mail for spam"
    senders = {verdicts.spf, verdicts.dkim}
    if verdicts.dmarc == "FAIL" and verdicts.dmarc_policy in {"quarantine", "reject"}:
        found["dmarc"] = (
            f"dmarc: not from the domain that it names, whose policy is {verdicts.dmarc_policy}"
        )
    elif verdicts.dmarc == "FAIL" or (
        verdicts.dmarc != "PASS" and "FAIL" in senders and "PASS" not in senders
    ):
        found["authentication"] = (
            f"authentication: nothing proves the sender (SPF {verdicts.spf or 'none'}, "
            f"DKIM {verdicts.dkim or 'none'}, DMARC {verdicts.dmarc or 'none'})"
        )
    elif verdicts.dmarc != "PASS":
        found["unproven"] = "unproven: no DMARC policy confirms the sender's domain"
    return found
