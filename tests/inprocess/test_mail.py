"""Mail: one ticket for each request; answers join their ticket, forged references do not."""

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.core.domain.errors import DeadLetter
from functions.core.domain.events import CustomerWrote, NoteAdded, TicketReceived
from functions.core.platform import aws
from functions.core.storage.database import Storage
from functions.core.storage.tickets import Tickets
from functions.core.text.tokens import message_id
from functions.intake.mail_store import MailStore
from infra.simulator.simulator import Simulator, mail_notification
from tests.core.sample_desk import new_tickets
from tests.inprocess.conftest import WEBHOOK_SECRET
from tests.inprocess.desk_journey import customer_link
from tests.signed_requests import signed

pytestmark = pytest.mark.requirement("F1", "F5", "G1", "G3")
DESK = "support@standard.local"


def make_mail(
    subject: str = "无法登录",
    text: str = "昨天起无法登录，请尽快处理。",
    *,
    id: str = "<m1@mail.example.com>",  # noqa: A002
    sender: str = "李雷 <li.lei@example.com>",
    references: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    html: str = "",
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, DESK, subject
    if id:
        mail["Message-ID"] = id
    if references:
        mail["References"] = mail["In-Reply-To"] = references
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return mail.as_bytes()


def new_ticket_numbers(storage: Storage) -> list[str]:
    return [ticket.number for ticket in new_tickets(storage, "standard")]


def file_by_mail(simulator: Simulator, storage: Storage, raw: bytes | None = None) -> str:
    """Deliver a mail that opens the only new ticket; return its number."""
    simulator.mail(raw or make_mail(), DESK, key="mail/1")
    (number,) = new_ticket_numbers(storage)
    return number


@pytest.mark.requirement("F8")
def test_a_received_mail_is_charged_to_its_ticket(simulator: Simulator, storage: Storage) -> None:
    _, usages = storage.tickets.history_with_usage("standard", file_by_mail(simulator, storage))
    assert (usages[1]["ses.received"], usages[1]["sqs.request"]) == (1, 3)
    assert usages[1]["lambda.request"] == 1


def stored_mail(simulator: Simulator, key: str) -> bytes:
    body = boto3.client("s3").get_object(Bucket=simulator.deployment.mail_bucket, Key=key)["Body"]
    return body.read()


def store_mail(simulator: Simulator, key: str) -> None:
    boto3.client("s3").put_object(
        Bucket=simulator.deployment.mail_bucket, Key=key, Body=make_mail()
    )


def text_events(storage: Storage, number: str) -> list[Any]:
    return [
        event
        for commit in storage.tickets.history("standard", number)
        for event in commit.of(TicketReceived, CustomerWrote, NoteAdded)
    ]


def own_reference(simulator: Simulator, number: str) -> str:
    root = aws.root_key(simulator.deployment)
    return f"<{message_id(root, 'standard', number, 1, 'standard.local')}>"


@pytest.mark.requirement("A1", "F1")
def test_a_mail_becomes_a_ticket(simulator: Simulator, storage: Storage) -> None:
    """Text, sender and attachments are read; the bucket keeps the original."""
    pdf = b"%PDF-1.7 receipt"
    raw = make_mail(files=(("发票.pdf", pdf),))
    assert simulator.mail(raw, DESK, key="mail/1") == {"batchItemFailures": []}
    (number,) = new_ticket_numbers(storage)
    ticket = storage.tickets.load("standard", number)
    assert (ticket.channel, ticket.customer.kind) == ("mail", "email")
    (received,) = text_events(storage, number)
    assert "昨天起无法登录" in received.description
    assert received.raw == "mail/1"
    (kept,) = received.attachments
    assert (kept.name, kept.size) == ("发票.pdf", len(pdf))
    assert stored_mail(simulator, kept.key) == pdf


@pytest.mark.slow
@pytest.mark.requirement("D10", "G3")
def test_attachments_are_accepted_by_their_content(simulator: Simulator, storage: Storage) -> None:
    """A refused file stays in the original, and the ticket names it."""
    files = (
        ("../../发票\u202e.html", b"<script>alert(1)</script>"),
        ("photo.jpg", b"MZ\x90\x00 a program"),
        ("电话13800138000.pdf", b"%PDF-1.7"),
        ("huge.bin", b"\0" * (20 * 1024 * 1024 + 1)),
        *((f"{n}.txt", f"text {n}".encode()) for n in range(20)),
    )
    raw = make_mail(files=files)
    number = file_by_mail(simulator, storage, raw)
    (received,) = text_events(storage, number)
    kept = {file.name: file.content_type for file in received.attachments}
    assert kept["发票 .html.txt"] == "text/plain"
    assert kept["电话138****8000.pdf"] == "application/pdf"
    assert len(kept) == 20
    refused = [(file.name, file.reason) for file in received.refused]
    beyond = [("18.txt", "count"), ("19.txt", "count")]
    assert refused == [("photo.jpg", "program"), ("huge.bin", "size"), *beyond]
    assert stored_mail(simulator, received.raw) == raw


@pytest.mark.requirement("D10")
def test_customer_and_agent_download_a_mail_s_files(simulator: Simulator, storage: Storage) -> None:
    from urllib.parse import parse_qs, urlsplit

    raw = make_mail(files=(("a.html", b"<script>"), ("b.exe", b"MZ")))
    number = file_by_mail(simulator, storage, raw)
    path = customer_link(simulator, storage.tickets.load("standard", number))
    claims = {"cognito:username": "zg-1", "cognito:groups": "standard:supervisor"}
    ours = simulator.http("GET", f"/agent/desks/standard/tickets/{number}", claims=claims)
    for shown in (simulator.http("GET", path), ours):
        (file,) = shown.json["attachments"]
        (refused,) = shown.json["refused"]
        assert (file["name"], refused["name"]) == ("a.html.txt", "b.exe")
        assert refused["reason"] == "program"
        asked = {name: value for name, (value,) in parse_qs(urlsplit(file["url"]).query).items()}
        assert asked["response-content-type"] == "application/octet-stream"
        assert asked["response-content-disposition"].startswith("attachment; filename*=UTF-8''a")
        assert "Expires" in asked or int(asked["X-Amz-Expires"]) <= 300
    page = simulator.http("GET", path, headers={"Accept": "text/html"}).text
    assert "b.exe" in page
    assert "不接受程序文件" in page


@pytest.mark.requirement("A1")
def test_an_html_mail_is_read(simulator: Simulator, storage: Storage) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", DESK, "Payment"
    mail["Message-ID"] = "<h@example.com>"
    mail.set_content("<p>My <b>payment</b> failed.</p><p>Order 42</p>", subtype="html")
    simulator.mail(mail.as_bytes(), DESK)
    (received,) = text_events(storage, new_ticket_numbers(storage)[0])
    assert "My payment failed." in received.description
    assert "<" not in received.description


@pytest.mark.requirement("G1")
def test_a_mail_announced_twenty_times_makes_one_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    for batch in range(4):
        store_mail(simulator, f"mail/{batch}")
        records = [mail_notification(f"mail/{batch}", (DESK,)) for _ in range(5)]
        assert simulator.invoke("intake_mail", {"Records": records}) == {"batchItemFailures": []}
    assert len(new_ticket_numbers(storage)) == 1


@pytest.mark.requirement("G1")
def test_a_mail_without_an_id_is_recognised_by_its_bytes(
    simulator: Simulator, storage: Storage
) -> None:
    for _ in range(3):
        simulator.mail(make_mail(id=""), DESK)
    simulator.mail(make_mail(id="", text="另一件事"), DESK)
    assert len(new_ticket_numbers(storage)) == 2


@pytest.mark.requirement("G1")
def test_an_answer_with_our_message_id_joins_its_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_by_mail(simulator, storage)
    reply = make_mail(
        "Re: 回复", "已经好了", id="<m2@x>", references=own_reference(simulator, number)
    )
    simulator.mail(reply, DESK)
    simulator.mail(reply, DESK)
    assert new_ticket_numbers(storage) == [number]
    events = [event.event for event in text_events(storage, number)]
    assert events == ["TicketReceived", "CustomerWrote"]


@pytest.mark.requirement("G1")
def test_a_number_in_the_subject_counts_only_from_the_customer(
    simulator: Simulator, storage: Storage
) -> None:
    number = file_by_mail(simulator, storage)
    simulator.mail(make_mail(f"Re: [{number}] 登录", "补充截图", id="<m2@x>"), DESK)
    assert len(text_events(storage, number)) == 2
    simulator.mail(
        make_mail(f"Re: [{number}]", "让我看看", id="<m3@x>", sender="eve@example.net"), DESK
    )
    assert len(text_events(storage, number)) == 2
    assert len(new_ticket_numbers(storage)) == 2


@pytest.mark.requirement("G1")
def test_an_answer_to_the_customer_s_own_mail_joins_its_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    """Only from the same address."""
    number = file_by_mail(simulator, storage)
    own = "<m1@mail.example.com>"
    simulator.mail(make_mail("还有", "忘了附件", id="<m2@x>", references=own), DESK)
    assert new_ticket_numbers(storage) == [number]
    simulator.mail(make_mail("Re:", "再补充", id="<m3@x>", references="<m2@x>"), DESK)
    assert len(text_events(storage, number)) == 3
    stranger = "eve@example.net"
    simulator.mail(make_mail("Re:", "x", id="<m4@x>", references=own, sender=stranger), DESK)
    assert len(new_ticket_numbers(storage)) == 2


@pytest.mark.requirement("G1")
def test_a_forged_reference_opens_a_new_ticket(simulator: Simulator, storage: Storage) -> None:
    number = file_by_mail(simulator, storage)
    forged = own_reference(simulator, number).replace(".1.", ".2.")
    simulator.mail(
        make_mail("Re:", "x", id="<m2@x>", sender="eve@example.net", references=forged), DESK
    )
    assert len(new_ticket_numbers(storage)) == 2


@pytest.mark.requirement("A11")
def test_the_answer_to_a_question_resumes_the_ticket(
    simulator: Simulator, storage: Storage
) -> None:
    from functions.core.domain import commands as c
    from functions.core.services.command_service import change

    number = file_by_mail(simulator, storage)
    now = datetime.now(UTC)
    playbook = storage.playbooks.get("standard", now)
    assign = c.Assign("技术支持组", "li-1", by_person=True)
    for command in (assign, c.RequestInformation("请提供订单号")):
        change(storage, "standard", number, command, playbook, now, actor="li-1")
    simulator.mail(make_mail(f"Re: {number}", "订单号 42", id="<m2@x>"), DESK)
    ticket = storage.tickets.load("standard", number)
    assert ticket.status == "in_progress"
    assert ticket.timers["customer_info"].state == "met"


@pytest.mark.requirement("G3")
@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({"Auto-Submitted": "auto-replied", "Subject": "Out of office"}, "auto_reply"),
        ({"From": DESK, "Subject": "loop"}, "loop"),
        ({"Subject": "nobody"}, "nobody to answer: it names no sender"),
    ],
)
def test_a_mail_that_is_no_request_is_quarantined(
    simulator: Simulator, storage: Storage, headers: dict[str, str], cause: str
) -> None:
    mail = EmailMessage()
    mail["To"] = DESK
    for name, value in headers.items():
        mail[name] = value
    if "From" not in headers and not cause.startswith("nobody"):
        mail["From"] = "a@example.com"
    mail.set_content("text")
    simulator.mail(mail.as_bytes(), DESK, key="mail/odd")
    assert new_ticket_numbers(storage) == []
    s3 = boto3.client("s3")
    kept = s3.get_object(Bucket=simulator.deployment.mail_bucket, Key="quarantine/standard/odd")
    assert kept["Body"].read() == mail.as_bytes()
    assert unquote(kept["Metadata"]["cause"]).startswith(cause)


@pytest.mark.requirement("F1")
@pytest.mark.parametrize("encoding", ["UTF8", "BASE64"])
def test_a_mail_embedded_in_its_announcement_makes_a_ticket(
    simulator: Simulator, storage: Storage, encoding: str
) -> None:
    """SES's SNS action embeds small mails in the announcement."""
    import base64
    import json

    raw = make_mail()
    content = base64.b64encode(raw).decode() if encoding == "BASE64" else raw.decode()
    message = {
        "notificationType": "Received",
        "receipt": {"recipients": [DESK], "action": {"type": "SNS", "encoding": encoding}},
        "content": content,
    }
    record = {"messageId": "1", "body": json.dumps({"Message": json.dumps(message)})}
    for _ in range(2):
        assert simulator.invoke("intake_mail", {"Records": [record]}) == {"batchItemFailures": []}
    (number,) = new_ticket_numbers(storage)
    (received,) = text_events(storage, number)
    assert stored_mail(simulator, received.raw) == raw


@pytest.mark.requirement("G3")
def test_mail_to_an_unknown_mailbox_is_quarantined(simulator: Simulator, storage: Storage) -> None:
    simulator.mail(make_mail(), "sales@elsewhere.local", key="mail/lost")
    assert new_ticket_numbers(storage) == []
    boto3.client("s3").head_object(Bucket=simulator.deployment.mail_bucket, Key="quarantine/-/lost")


@pytest.mark.requirement("F1")
def test_a_plus_address_reaches_the_desk(simulator: Simulator, storage: Storage) -> None:
    simulator.mail(make_mail(), "Support+orders@standard.local")
    assert len(new_ticket_numbers(storage)) == 1


@pytest.mark.requirement("G3", "F1")
def test_unprocessable_messages_are_dead_lettered_and_others_processed(
    simulator: Simulator, storage: Storage
) -> None:
    store_mail(simulator, "mail/good")
    records = [
        {"messageId": "1", "body": "not json"},
        mail_notification("mail/good", (DESK,)),
        mail_notification("mail/missing", (DESK,)),
    ]
    assert simulator.invoke("intake_mail", {"Records": records}) == {"batchItemFailures": []}
    assert len(new_ticket_numbers(storage)) == 1
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName=f"{simulator.deployment.prefix}-mail-dlq")["QueueUrl"]
    dead_letters = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert len(dead_letters) == 2
    assert any("not SES's announcement" in message["Body"] for message in dead_letters)


@pytest.mark.requirement("G3")
def test_a_mail_that_failed_before_comes_last(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may take all the time that is left."""
    from functions.intake import handler

    order: list[str] = []
    monkeypatch.setattr(handler, "_process_message", lambda body, _: order.append(body))
    tried = {"attributes": {"ApproximateReceiveCount": "2"}}
    records = [
        {"messageId": "1", "body": "tried", **tried},
        {"messageId": "2", "body": "new", "attributes": {"ApproximateReceiveCount": "1"}},
        {"messageId": "3", "body": "local"},
    ]
    assert simulator.invoke("intake_mail", {"Records": records}) == {"batchItemFailures": []}
    assert order == ["new", "local", "tried"]


@pytest.mark.requirement("G3")
def test_no_mail_is_begun_without_enough_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.intake import handler

    class Context:
        memory_limit_in_mb = 256
        invoked_function_arn = (
            "arn:aws:lambda:eu-west-1:111122223333:function:deskbell-dev-intake_mail"
        )
        milliseconds = 30_000

        def get_remaining_time_in_millis(self) -> int:
            return self.milliseconds

    context, begun = Context(), list[str]()

    def process(body: str, _: object) -> None:
        begun.append(body)
        context.milliseconds -= 25_000

    monkeypatch.setattr(handler, "_process_message", process)
    records = [{"messageId": str(i), "body": str(i)} for i in range(3)]
    answer = handler.intake_mail({"Records": records}, context)
    assert begun == ["0"]
    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert failed == ["1", "2"]


@pytest.mark.requirement("G4")
def test_a_number_at_the_limit_of_a_mail_s_text_is_masked(
    simulator: Simulator, storage: Storage
) -> None:
    number = "13800138000"
    for missing in (1, 6, 10):
        for limit in (200 - len("无法登录\n"), 4000):
            text = f"{'字' * (limit - missing)}{number}{'字' * 5000}"
            simulator.mail(make_mail(text=text, id=f"<{limit}.{missing}@example.com>"), DESK)
    numbers = new_ticket_numbers(storage)
    assert len(numbers) == 6
    for ticket in numbers:
        (received,) = text_events(storage, ticket)
        assert (len(received.description), len(received.text)) == (200, 4000)
        assert number[:4] not in received.description + received.text


@pytest.mark.requirement("G1", "G3")
def test_a_mail_that_fails_for_now_is_retried(
    simulator: Simulator, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.core.domain.errors import TryAgain

    store_mail(simulator, "mail/busy")
    record = mail_notification("mail/busy", (DESK,))

    def busy(*_: Any, **__: Any) -> None:
        raise TryAgain("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(Tickets, "commit_all", busy)
        answer = simulator.invoke("intake_mail", {"Records": [record]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert simulator.invoke("intake_mail", {"Records": [record]}) == {"batchItemFailures": []}
    assert len(new_ticket_numbers(storage)) == 1


@pytest.mark.requirement("F5")
def test_a_raw_mail_over_http_makes_one_ticket(simulator: Simulator, storage: Storage) -> None:
    raw = make_mail()
    headers = {"content-type": "message/rfc822", **signed(WEBHOOK_SECRET, raw)}
    path = "/desks/standard/channels/mime"
    first = simulator.http("POST", path, raw, headers=headers)
    assert first.status == 202
    assert simulator.http("POST", path, raw, headers=headers).json["number"] == first.json["number"]
    assert len(new_ticket_numbers(storage)) == 1


@pytest.mark.requirement("A4", "E1")
@pytest.mark.parametrize(
    ("subject", "text", "wanted"),
    [
        ("Payment failed", "My card was declined.", "We have received"),
        ("支付失败", "请协助处理", "已接收"),
        ("404", "", "已接收"),
    ],
)
def test_the_acknowledgement_uses_the_mail_s_language(
    simulator: Simulator, storage: Storage, subject: str, text: str, wanted: str
) -> None:
    number = file_by_mail(simulator, storage, make_mail(subject, text))
    simulator.pump()
    told = {d.message: d.text for d in storage.deliveries.list("standard", number)}
    assert wanted in told["received"]


@pytest.mark.requirement("G3")
@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_a_mail_missing_from_the_bucket_is_a_dead_letter(code: str) -> None:
    """S3 says NoSuchKey or AccessDenied, depending on the permission to list."""

    class Gone:
        def get_object(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": code}}, "GetObject")

    gone: Any = Gone()
    mail_store = MailStore(gone, "b")
    with pytest.raises(DeadLetter, match="mail/1 is not in the bucket"):
        mail_store.get("mail/1")


@pytest.mark.requirement("A1")
@pytest.mark.parametrize(("subject", "wanted"), [("", "（无内容）"), ("发票", "发票")])
def test_an_empty_mail_makes_a_ticket(
    simulator: Simulator, storage: Storage, subject: str, wanted: str
) -> None:
    simulator.mail(make_mail(subject, ""), DESK)
    (received,) = text_events(storage, new_ticket_numbers(storage)[0])
    assert received.description == wanted
