"""The mail policy: limits, verdicts and trust in a sender."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.errors import Quarantined
from functions.core.domain.rules import Checks
from functions.intake.mail_policy import Verdicts, require_within_limits, trusts_sender

pytestmark = pytest.mark.requirement("G3")
DEFAULT = Checks()
STATUSES = ("", "PASS", "FAIL", "GRAY", "PROCESSING_FAILED", "DISABLED")


def receipt(**statuses: str) -> dict[str, Any]:
    """Return a receipt as SES writes it."""
    policy = statuses.pop("policy", "")
    found: dict[str, Any] = {f"{n}Verdict": {"status": s} for n, s in statuses.items()}
    return {**found, "dmarcPolicy": policy} if policy else found


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [
        ({"virus": "FAIL"}, "virus"),
        ({"virus": "FAIL", "spam": "FAIL"}, "virus"),
        ({"spam": "FAIL"}, "spam"),
        ({"dmarc": "FAIL", "policy": "reject"}, "dmarc"),
        ({"dmarc": "FAIL", "policy": "QUARANTINE"}, "dmarc"),
    ],
)
def test_the_default_checks_quarantine(statuses: dict[str, str], cause: str) -> None:
    with pytest.raises(Quarantined, match=f"^{cause}: "):
        trusts_sender(Verdicts.from_receipt(receipt(**statuses)), DEFAULT)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({"dmarc": "PASS"}, True),
        ({"dmarc": "PASS", "spam": "PROCESSING_FAILED", "virus": "DISABLED"}, True),
        ({"spf": "FAIL", "dkim": "FAIL", "dmarc": "PASS"}, True),
        ({}, False),
        ({"spam": "GRAY", "spf": "GRAY", "dkim": "GRAY", "dmarc": "GRAY"}, False),
        ({"spf": "PASS", "dkim": "PASS"}, False),
        ({"spf": "FAIL", "dkim": "FAIL"}, False),
        ({"spf": "FAIL", "dkim": "GRAY"}, False),
        ({"spf": "GRAY", "dkim": "FAIL", "dmarc": "GRAY"}, False),
        ({"spf": "PASS", "dkim": "PASS", "dmarc": "FAIL", "policy": "none"}, False),
        ({"dmarc": "FAIL"}, False),
    ],
)
def test_the_default_checks_trust_a_sender(statuses: dict[str, str], expected: bool) -> None:
    """Only DMARC ties a sender to From (RFC 7489); other mail is accepted, its sender untrusted."""
    assert trusts_sender(Verdicts.from_receipt(receipt(**statuses)), DEFAULT) is expected


@pytest.mark.parametrize("check", ["virus", "spam", "dmarc", "authentication", "unproven"])
def test_a_playbook_sets_the_consequence_of_each_check(check: str) -> None:
    failing = {
        "virus": receipt(virus="FAIL", dmarc="PASS"),
        "spam": receipt(spam="FAIL", dmarc="PASS"),
        "dmarc": receipt(dmarc="FAIL", policy="reject"),
        "authentication": receipt(spf="FAIL"),
        "unproven": receipt(spf="GRAY"),
    }
    verdicts = Verdicts.from_receipt(failing[check])
    assert trusts_sender(verdicts, Checks(**{check: "accept"})) is True
    assert trusts_sender(verdicts, Checks(**{check: "untrusted"})) is False
    with pytest.raises(Quarantined, match=f"^{check}: "):
        trusts_sender(verdicts, Checks(**{check: "quarantine"}))


def test_a_released_mail_s_sender_is_not_trusted() -> None:
    spam = Verdicts.from_receipt(receipt(spam="FAIL"))
    assert trusts_sender(spam, DEFAULT, released=True) is False
    forged = Verdicts.from_receipt(receipt(dmarc="FAIL", policy="reject"))
    assert trusts_sender(forged, DEFAULT, released=True) is False


def test_an_infected_mail_is_released_only_explicitly() -> None:
    verdicts = Verdicts.from_receipt(receipt(virus="FAIL"))
    with pytest.raises(Quarantined, match=r"^virus: "):
        trusts_sender(verdicts, DEFAULT, released=True)
    trusts_sender(verdicts, DEFAULT, released=True, even_infected=True)
    assert verdicts.infected


@given(
    st.dictionaries(
        st.sampled_from(
            ["spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict"]
        ),
        st.one_of(
            st.none(),
            st.integers(),
            st.text(),
            st.fixed_dictionaries({"status": st.sampled_from([*STATUSES, None, 5])}),
        ),
    ),
    st.one_of(st.none(), st.text(), st.sampled_from(["none", "reject"])),
)
def test_any_receipt_is_read_and_restored(found: dict[str, Any], policy: Any) -> None:
    verdicts = Verdicts.from_receipt({**found, "dmarcPolicy": policy})
    assert Verdicts.from_receipt(verdicts.as_receipt()) == verdicts


HEADER = (
    b"Authentication-Results: mx.example.com; spf=fail smtp.mailfrom=a@example.org;\r\n"
    b"\tdkim=none; dkim=pass header.d=example.org; dmarc=fail (p=REJECT sp=NONE) "
    b"header.from=example.org\r\n"
)


def test_the_named_server_s_results_are_read() -> None:
    """RFC 8601."""
    found = Verdicts.from_header(HEADER + b"From: a@example.org\r\n\r\ntext", "mx.example.com")
    assert found == Verdicts(spf="FAIL", dkim="PASS", dmarc="FAIL", dmarc_policy="reject")


@pytest.mark.parametrize(
    ("raw", "server"),
    [
        (HEADER, ""),
        (HEADER, "mx.example.net"),
        (HEADER, "example.com"),
        (b"Authentication-Results: other.example; spf=pass\r\n" + HEADER, "mx.example.com"),
        (b"Subject: x\r\n\r\n" + HEADER, "mx.example.com"),
        (b"Authentication-Results:\r\n\r\n", "mx.example.com"),
        (b"", "mx.example.com"),
    ],
)
def test_results_that_anybody_could_have_written_are_ignored(raw: bytes, server: str) -> None:
    assert Verdicts.from_header(raw, server) == Verdicts()


def test_a_mail_over_a_limit_is_quarantined() -> None:
    require_within_limits(40 * 1024 * 1024, ("charset:unknown", "text:cut"), DEFAULT)
    with pytest.raises(Quarantined, match=r"^limit: the mail has 1\.5 MB, 1 MB are accepted"):
        require_within_limits(1536 * 1024, (), Checks(max_mb=1))
    for defect in ("structure:parts", "structure:depth", "header:many"):
        with pytest.raises(Quarantined, match=r"^limit: "):
            require_within_limits(1, (defect,), DEFAULT)
    with pytest.raises(Quarantined, match=r"^broken: "):
        require_within_limits(1, ("parse:failed",), DEFAULT)
