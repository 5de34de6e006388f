"""Decide whether a mail is accepted and whether its sender's address is trusted (G3).

Pure. SES reports its checks of a mail in the announcement (AWS, "Contents of notifications for
Amazon SES email receiving"). For a mail that a provider posts, the checks are in the header that
the provider's own server wrote, if the desk names that server (RFC 8601). The playbook's
`mail.checks` gives the consequences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from functions.core.domain.errors import Quarantined
from functions.core.domain.rules import Checks

_LIMITS = {
    "structure:parts": "more parts than are read",
    "structure:depth": "parts nested deeper than is read",
    "header:many": "more headers than are read",
}
"""Defects of a mail that was not read whole → their cause."""

_MAX_HEADERS = 256 * 1024
"""Bytes at the beginning of a mail that are searched for headers."""

_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_POLICY = re.compile(r"\b(?:p|policy\.[a-z-]+)\s*=\s*(none|quarantine|reject)\b", re.IGNORECASE)
_STATUS = {"pass": "PASS", "fail": "FAIL", "softfail": "FAIL", "permerror": "FAIL"}


@dataclass(frozen=True)
class Verdicts:
    """The results of a mail's checks: `PASS`, `FAIL`, `GRAY`, `PROCESSING_FAILED`, or empty.

    `dmarc_policy` is what the sender's domain asks to do with mail that fails: `none`, `quarantine`
    or `reject`. SES reports it for failing mail only.
    """

    spam: str = ""
    virus: str = ""
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    dmarc_policy: str = ""

    @classmethod
    def from_receipt(cls, receipt: Mapping[str, Any]) -> Verdicts:
        statuses = {}
        for name in ("spam", "virus", "spf", "dkim", "dmarc"):
            verdict = receipt.get(f"{name}Verdict")
            status = verdict.get("status") if isinstance(verdict, Mapping) else None
            statuses[name] = status.upper() if isinstance(status, str) else ""
        policy = receipt.get("dmarcPolicy")
        return cls(**statuses, dmarc_policy=policy.lower() if isinstance(policy, str) else "")

    @classmethod
    def from_header(cls, raw: bytes, server: str) -> Verdicts:
        """Read the topmost `Authentication-Results` header of a mail, if `server` wrote it.

        A sender can write such headers too, but only below those of the receiving server, which
        removes others under its own name (RFC 8601, sections 4.1 and 5).
        """
        from functions.core.mail import mime

        headers, _ = mime.headers_of(raw, 0, min(len(raw), _MAX_HEADERS), lambda _: None)
        values = (value for name, value in headers if name == "authentication-results")
        header = next(values, b"").decode("utf-8", "replace")
        name, _, results = header.partition(";")
        if not server or name.split()[:1] != [server]:
            return cls()
        verdicts: dict[str, str] = {}
        for method, result, properties in _RESULT.findall(results):
            method, status = method.lower(), _STATUS.get(result.lower(), "GRAY")
            # One valid signature of several is enough (RFC 6376, section 6.1).
            if verdicts.get(method) != "PASS":
                verdicts[method] = status
            policy = _POLICY.search(properties) if method == "dmarc" else None
            if policy and status == "FAIL":
                verdicts["dmarc_policy"] = policy.group(1).lower()
        return cls(**verdicts)

    def as_receipt(self) -> dict[str, Any]:
        receipt: dict[str, Any] = {
            f"{name}Verdict": {"status": status}
            for name, status in asdict(self).items()
            if status and name != "dmarc_policy"
        }
        return {**receipt, "dmarcPolicy": self.dmarc_policy} if self.dmarc_policy else receipt

    @property
    def infected(self) -> bool:
        """Return whether the scanner found a virus; such a mail's files are not stored."""
        return self.virus == "FAIL"


def trusts_sender(
    verdicts: Verdicts, checks: Checks, *, released: bool = False, even_infected: bool = False
) -> bool:
    """Return whether the sender's address may decide which ticket a mail belongs to.

    Args:
        released: a person has looked at the mail in quarantine and wants a ticket for it. That does
            not make its sender trusted.
        even_infected: the same for a mail in which a virus was found.

    Raises:
        Quarantined: the mail is to be quarantined.
    """
    consequences = set()
    for check, cause in _failed_checks(verdicts).items():
        consequence = getattr(checks, check)
        waived = even_infected if check == "virus" else released
        if consequence == "quarantine" and not waived:
            raise Quarantined(cause)
        consequences.add(consequence)
    return consequences <= {"accept"}


def require_within_limits(size: int, defects: tuple[str, ...], checks: Checks) -> None:
    """Refuse a mail that is too large, or of a structure that is not read whole.

    Raises:
        Quarantined: it exceeds a limit, or cannot be read at all.
    """
    if size > checks.max_mb * 1024 * 1024:
        raise Quarantined(
            f"limit: the mail has {size / 1024 / 1024:.1f} MB, {checks.max_mb} MB are accepted"
        )
    for defect in defects:
        if defect in _LIMITS:
            raise Quarantined(f"limit: {_LIMITS[defect]}")
    if "parse:failed" in defects:
        raise Quarantined("broken: the mail cannot be read")


def _failed_checks(verdicts: Verdicts) -> dict[str, str]:
    """Return the playbook's checks that a mail fails, the gravest first, with their causes."""
    failed = {}
    if verdicts.infected:
        failed["virus"] = "virus: the scanner found one in this mail"
    if verdicts.spam == "FAIL":
        failed["spam"] = "spam: the filter takes this mail for spam"
    senders = {verdicts.spf, verdicts.dkim}
    if verdicts.dmarc == "FAIL" and verdicts.dmarc_policy in {"quarantine", "reject"}:
        failed["dmarc"] = (
            "dmarc: not from the domain in its From header, whose policy is "
            f"{verdicts.dmarc_policy}"
        )
    elif verdicts.dmarc == "FAIL" or (
        verdicts.dmarc != "PASS" and "FAIL" in senders and "PASS" not in senders
    ):
        failed["authentication"] = (
            f"authentication: nothing proves the sender (SPF {verdicts.spf or 'none'}, "
            f"DKIM {verdicts.dkim or 'none'}, DMARC {verdicts.dmarc or 'none'})"
        )
    elif verdicts.dmarc != "PASS":
        failed["unproven"] = "unproven: no DMARC policy confirms the sender's domain"
    return failed
