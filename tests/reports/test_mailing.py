"""The mails of reports and jumps. `DESKBELL_RECORD_GOLDEN=1` writes the golden files anew."""

import os
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest

from functions.core.deliver.failures import Passing, Permanent, SendFailure, Unclear
from functions.core.domain.rules import Locale, Playbook
from functions.core.reports.report import ReportView
from functions.core.storage.database import Storage
from functions.core.storage.report_mails import ReportMails
from functions.core.storage.table import Table
from functions.reports import mailing
from functions.reports.mailing import ReportMailer, address_of, build, jump_mail, report_mail
from tests.core.reports.sample_report import sample_report
from tests.core.sample_desk import NOON, TABLE
from tests.reports.mailed_desk import playbook

__all__ = ["playbook"]

pytestmark = pytest.mark.requirement("B11")
RECORD = bool(os.environ.get("DESKBELL_RECORD_GOLDEN"))
GOLDEN = Path(__file__).with_name("golden")


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def shown(message: EmailMessage) -> str:
    """A mail as people can compare it."""
    parts = [f"{name}: {value}\n" for name, value in message.items()]
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        parts.append(f"\n----- {kind}\n{body.get_content()}")
    return "".join(parts).replace("\r\n", "\n")


def in_language(playbook: Playbook, locale: Locale) -> Playbook:
    reports = playbook.reports.model_copy(update={"locale": locale})
    return playbook.model_copy(update={"locale": locale, "reports": reports})


def compare(name: str, found: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if RECORD:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == found, "see DESKBELL_RECORD_GOLDEN above"


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_mail_of_a_report_has_its_figures(playbook: Playbook, locale: Locale) -> None:
    desk = in_language(playbook, locale)
    mail = report_mail(sample_report(), desk)
    raw = build(mail, desk, "boss@example.com", NOON, "x", ("a.xlsx", b"file"))
    assert raw == build(mail, desk, "boss@example.com", NOON, "x", ("a.xlsx", b"file"))
    message = parsed(raw)
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("a.xlsx", b"file")
    compare(f"report.{locale}", shown(message))


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
@pytest.mark.requirement("D16")
def test_the_mail_of_a_jump(playbook: Playbook, locale: Locale) -> None:
    desk = in_language(playbook, locale)
    mail = jump_mail(sample_report()["jumps"], desk)
    compare(f"jump.{locale}", shown(parsed(build(mail, desk, "a@example.com", NOON, "x"))))


def test_a_report_that_does_not_add_up_says_so_first(playbook: Playbook) -> None:
    text = report_mail(sample_report(adds_up=False, problems=["未结工单不平"]), playbook).text
    assert text.index("未能互相吻合") < text.index("- 未结工单不平") < text.index("受理量")


def test_what_a_report_quotes_is_no_html(playbook: Playbook) -> None:
    report = sample_report()
    report["suggestions"][0]["text"] = "<script>1</script> & more"
    page = report_mail(report, playbook).html
    assert "&lt;script&gt;1&lt;/script&gt; &amp; more" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        ("mail:boss@example.com", "boss@example.com"),
        ("supervisor", "leads@testdesk.local"),
        ("leads", "leads@testdesk.local"),
        ("qa", None),
        ("nobody", None),
    ],
)
def test_a_recipient_is_a_team_or_an_address(
    playbook: Playbook, recipient: str, address: str | None
) -> None:
    assert address_of(recipient, playbook) == address


class Post:
    """Takes mails, or fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, EmailMessage]] = []
        self.failure: SendFailure | None = None

    def __call__(self, sender: str, to: str, raw: bytes) -> None:
        assert sender == "support@testdesk.local"
        if self.failure:
            raise self.failure
        self.sent.append((to, parsed(raw)))


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def mailer(storage: Storage, post: Post) -> ReportMailer:
    return ReportMailer(ReportMails(storage.table), post, NOON)


@pytest.fixture
def report() -> ReportView:
    return sample_report()


def test_each_recipient_gets_a_report_once(
    mailer: ReportMailer, post: Post, playbook: Playbook, report: ReportView
) -> None:
    assert mailer.send_report(report, playbook)
    assert mailer.send_report(report, playbook)
    assert [to for to, _ in post.sent] == ["leads@testdesk.local", "boss@example.com"]
    for _, message in post.sent:
        (file,) = message.iter_attachments()
        assert file.get_filename() == "testdesk-2026-W10.xlsx"
        assert zipfile.ZipFile(BytesIO(file.get_content())).testzip() is None
    assert mailer.send_report(sample_report(period="2026-W11"), playbook)
    assert len(post.sent) == 4


def test_a_kind_that_is_not_mailed(mailer: ReportMailer, post: Post, playbook: Playbook) -> None:
    assert mailer.send_report(sample_report(kind="daily", period="2026-03-08"), playbook)
    assert post.sent == []


def test_a_mail_that_has_not_gone_out_is_sent_by_the_next_run(
    mailer: ReportMailer, post: Post, playbook: Playbook, report: ReportView
) -> None:
    post.failure = Passing("SES TooManyRequestsException")
    assert not mailer.send_report(report, playbook)
    post.failure = None
    assert mailer.send_report(report, playbook)
    assert len(post.sent) == 2


@pytest.mark.parametrize("failure", [Unclear("no answer"), Permanent("MessageRejected")])
def test_a_mail_that_may_have_gone_out_or_never_will_is_not_sent_again(
    mailer: ReportMailer,
    post: Post,
    playbook: Playbook,
    report: ReportView,
    failure: SendFailure,
) -> None:
    post.failure = failure
    assert mailer.send_report(report, playbook)
    post.failure = None
    assert mailer.send_report(report, playbook)
    assert post.sent == []


@pytest.mark.requirement("D16")
def test_supervisors_get_jumps(
    mailer: ReportMailer, post: Post, playbook: Playbook, report: ReportView
) -> None:
    assert mailer.send_jumps(playbook, report["jumps"])
    ((to, message),) = post.sent
    assert to == "leads@testdesk.local"
    assert message["Subject"] == "【异常增长】型号 KFR-35 · 报障：12件，预期3件"
    assert mailer.send_jumps(playbook.model_copy(update={"teams": {}}), report["jumps"])


def test_a_jump_is_told_by_one_run(
    mailer: ReportMailer, post: Post, playbook: Playbook, report: ReportView
) -> None:
    post.failure = Passing("SES TooManyRequestsException")
    assert not mailer.send_jumps(playbook, report["jumps"])
    post.failure = None
    assert mailer.send_jumps(playbook, report["jumps"])
    assert mailer.send_jumps(playbook, report["jumps"])
    assert len(post.sent) == 1


def test_a_mail_that_could_not_be_made_is_made_by_the_next_run(
    mailer: ReportMailer,
    post: Post,
    playbook: Playbook,
    report: ReportView,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(report: ReportView, locale: Locale) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(mailing, "workbook", fails)
        with pytest.raises(MemoryError):
            mailer.send_report(report, playbook)
    assert mailer.send_report(report, playbook)
    assert len(post.sent) == 2


def test_a_claim_is_one_recipients_for_one_report(storage: Storage) -> None:
    claims = ReportMails(Table(storage.table.client, TABLE))
    assert claims.claim("testdesk", "weekly/2026-W10", "qa", NOON)
    assert not claims.claim("testdesk", "weekly/2026-W10", "qa", NOON)
    assert claims.claim("testdesk", "weekly/2026-W11", "qa", NOON)
    assert claims.claim("otherdesk", "weekly/2026-W10", "qa", NOON)
    claims.release("testdesk", "weekly/2026-W10", "qa")
    assert claims.claim("testdesk", "weekly/2026-W10", "qa", NOON)
