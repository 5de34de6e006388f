"""What mails are let in, and how far their sender is believed (G3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from functions.core.domain.errors import Quarantined
from functions.core.domain.rules import Checks
from functions.intake.mail_policy import Verdicts, believed, infected, of_header, within_limits

DEFAULT = Checks()
STATUSES = ("", "PASS", "FAIL", "GRAY", "PROCESSING_FAILED", "DISABLED")


def receipt(**statuses: str) -> dict[str, Any]:
    """A receipt as SES writes it."""
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
def test_what_is_set_aside_by_default(statuses: dict[str, str], cause: str) -> None:
    """G3: with its cause."""
    with pytest.raises(Quarantined, match=f"^{cause}: "):
        believed(Verdicts.of(receipt(**statuses)), DEFAULT)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({}, True),
        ({"spam": "GRAY", "spf": "GRAY", "dkim": "GRAY", "dmarc": "GRAY"}, True),
        ({"spam": "PROCESSING_FAILED", "virus": "DISABLED"}, True),
        ({"spf": "FAIL", "dkim": "PASS"}, True),
        ({"spf": "FAIL", "dkim": "FAIL", "dmarc": "PASS"}, True),
        ({"spf": "FAIL", "dkim": "FAIL"}, False),
        ({"spf": "FAIL", "dkim": "GRAY"}, False),
        ({"spf": "GRAY", "dkim": "FAIL", "dmarc": "GRAY"}, False),
        ({"spf": "PASS", "dkim": "PASS", "dmarc": "FAIL", "policy": "none"}, False),
        ({"dmarc": "FAIL"}, False),
    ],
)
def test_whose_sender_is_believed_by_default(statuses: dict[str, str], expected: bool) -> None:
    """G3: a mail that fails authentication is taken in, and its address proves nothing."""
    assert believed(Verdicts.of(receipt(**statuses)), DEFAULT) is expected


@pytest.mark.parametrize("check", ["virus", "spam", "dmarc", "authentication", "unproven"])
def test_a_desk_says_what_follows(check: str) -> None:
    """G3: each consequence is the playbook's."""
    failing = {
        "virus": receipt(virus="FAIL", dmarc="PASS"),
        "spam": receipt(spam="FAIL", dmarc="PASS"),
        "dmarc": receipt(dmarc="FAIL", policy="reject"),
        "authentication": receipt(spf="FAIL"),
        "unproven": receipt(spf="GRAY"),
    }
    verdicts = Verdicts.of(failing[check])
    assert believed(verdicts, Checks(**{check: "accept"})) is True
    assert believed(verdicts, Checks(**{check: "untrusted"})) is False
    with pytest.raises(Quarantined, match=f"^{check}: "):
        believed(verdicts, Checks(**{check: "quarantine"}))


def test_released_is_not_believed() -> None:
    """G3: who releases a mail says that it is a request, not that its sender is who it says."""
    spam = Verdicts.of(receipt(spam="FAIL"))
    assert believed(spam, DEFAULT, released=True) is False
    forged = Verdicts.of(receipt(dmarc="FAIL", policy="reject"))
    assert believed(forged, DEFAULT, released=True) is False


def test_a_virus_needs_a_word_of_its_own() -> None:
    """G3, item 6: releasing everything releases no virus."""
    verdicts = Verdicts.of(receipt(virus="FAIL"))
    with pytest.raises(Quarantined, match=r"^virus: "):
        believed(verdicts, DEFAULT, released=True)
    believed(verdicts, DEFAULT, released=True, even_infected=True)
    assert infected(verdicts)


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
def test_any_receipt_is_read_and_comes_back_the_same(found: dict[str, Any], policy: Any) -> None:
    """G3: what stands beside a mail in quarantine is what was announced."""
    verdicts = Verdicts.of({**found, "dmarcPolicy": policy})
    assert Verdicts.of(verdicts.receipt()) == verdicts


HEADER = (
    b"Authentication-Results: mx.example.com; spf=fail smtp.mailfrom=a@example.org;\r\n"
    b"\tdkim=none; dkim=pass header.d=example.org; dmarc=fail (p=REJECT sp=NONE) "
    b"header.from=example.org\r\n"
)


def test_results_of_the_server_that_is_named() -> None:
    """Item 6, RFC 8601: of a mail that a provider posts."""
    found = of_header(HEADER + b"From: a@example.org\r\n\r\ntext", "mx.example.com")
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
def test_results_that_anybody_may_have_written_are_none(raw: bytes, server: str) -> None:
    """Only the topmost header counts, and only of the named server; none in the text."""
    assert of_header(raw, server) == Verdicts()


def test_limits() -> None:
    """G3: a mail that is not read whole opens no ticket."""
    within_limits(40 * 1024 * 1024, ("charset:unknown", "text:cut"), DEFAULT)
    with pytest.raises(Quarantined, match=r"^limit: the mail has 1\.5 MB, 1 MB are taken"):
        within_limits(1536 * 1024, (), Checks(max_mb=1))
    for defect in ("structure:parts", "structure:depth", "header:many"):
        with pytest.raises(Quarantined, match=r"^limit: "):
            within_limits(1, (defect,), DEFAULT)
    with pytest.raises(Quarantined, match=r"^broken: "):
        within_limits(1, ("parse:failed",), DEFAULT)
