"""Status queries, messages, confirmation and survey, by the status link."""

import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.core.domain import commands as c
from functions.core.domain.errors import (
    ActionNotAllowed,
    AlreadyAnswered,
    Forgotten,
    InvalidInput,
    KeyReused,
    NotFound,
    Refused,
    TooManyAttempts,
)
from functions.core.domain.events import EVENTS, CustomerWrote
from functions.core.domain.rules import LOCALES, Playbook
from functions.core.domain.ticket import Customer as Person, Ticket
from functions.core.platform.web import problem, wants_page
from functions.core.playbook import load
from functions.core.storage.database import Storage
from functions.core.storage.playbooks import CachedPlaybook
from functions.core.text.words import label, nearest_locale
from tests.core.sample_desk import DESK, NOON, file_ticket
from tests.core.text.test_file_types import REAL, package
from tests.portal.conftest import NUMBER, CarryOut, Customer

pytestmark = pytest.mark.requirement("F6", "A11", "A13", "A14", "A15", "A16", "G1", "G4")
FIELDS = [
    "number", "status", "status_label", "type", "type_label", "tags", "priority", "team",
    "team_label", "handler",
    "received_at", "expected_response_by", "expected_resolution_by", "first_response_at",
    "resolved_at", "summary", "timeline", "question", "messages", "attachments",
    "refused", "before",
]  # fmt: skip

PHOTO = b64encode(REAL["png"]).decode()


ASSIGN = c.Assign(team="technical", handler="agent-1")


@pytest.mark.requirement("F6", "A14", "A16")
def test_the_status_has_the_contract_s_fields_and_the_desk_s_offset(
    customer: Customer, carry_out: CarryOut
) -> None:
    carry_out(ASSIGN, c.Reply("请重启后再试"))
    view = customer.get(key=customer.key).body
    assert list(view) == FIELDS
    assert (view["status"], view["handler"], view["team_label"]) == (
        "in_progress", "技术支持组", "技术支持组",
    )  # fmt: skip
    assert view["received_at"] == "2026-03-10T12:00:00+08:00"
    assert view["expected_resolution_by"].endswith("+08:00")
    assert [entry["event"] for entry in view["timeline"]] == [
        "TicketReceived", "TicketAssigned", "ReplySent",
    ]  # fmt: skip


@pytest.mark.requirement("A16", "F6")
@pytest.mark.parametrize("contact", ["8000", "13800008000", " 8000 "])
def test_the_last_four_of_the_contact_open_the_status(customer: Customer, contact: str) -> None:
    assert customer.get(contact=contact).body["number"] == NUMBER


@pytest.mark.requirement("G9")
def test_the_end_of_a_mail_address_proves_nothing(storage: Storage, playbook: Playbook) -> None:
    """Half of all addresses end in `.com`."""
    file_ticket(storage, playbook, "CS20260310002", customer=_person("***@example.com", "email"))
    with pytest.raises(NotFound):
        Customer(storage, "CS20260310002").get(contact=".com")


@pytest.mark.requirement("G9")
@pytest.mark.parametrize("number", [NUMBER, "CS20260310999"])
def test_a_sixth_guess_of_a_contact_is_refused_whether_the_ticket_exists_or_not(
    storage: Storage, customer: Customer, number: str
) -> None:
    guesser = Customer(storage, number)
    for guess in range(5):
        with pytest.raises(NotFound):
            guesser.get(contact=f"{guess:04}")
    for contact in ("0005", "8000"):
        with pytest.raises(TooManyAttempts):
            guesser.get(contact=contact)
    if number == NUMBER:
        assert customer.get(key=customer.key).status == 200
    with pytest.raises(NotFound):
        Customer(storage, "CS20260310998").get(contact="0000")


@pytest.mark.requirement("G9")
def test_guesses_count_for_an_hour(storage: Storage, customer: Customer) -> None:
    counted = [storage.failed_attempts.add("testdesk", NUMBER, NOON) for _ in range(5)]
    assert counted == [1, 2, 3, 4, 5]
    assert storage.failed_attempts.add("testdesk", NUMBER, NOON + timedelta(minutes=59)) == 6
    assert storage.failed_attempts.add("testdesk", NUMBER, NOON + timedelta(hours=1)) == 1


@pytest.mark.requirement("G9")
def test_a_guess_counts_before_it_is_answered(
    storage: Storage, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right one at the same moment as five wrong ones is the sixth; a right one costs nothing."""
    for _ in range(7):
        assert customer.get(contact="8000").status == 200
    client = storage.failed_attempts.table.client
    updated, guesser = client.update_item, Customer(storage, NUMBER)

    def while_others_guess(**request: Any) -> Any:
        monkeypatch.setattr(client, "update_item", updated)
        for guess in range(5):
            with pytest.raises(NotFound):
                guesser.get(contact=f"{guess:04}")
        return updated(**request)

    monkeypatch.setattr(client, "update_item", while_others_guess)
    with pytest.raises(TooManyAttempts):
        guesser.get(contact="8000")


@pytest.mark.requirement("G4")
@pytest.mark.parametrize("shown", ["****", "*78", "", "******78"])
def test_the_stars_of_a_masked_contact_prove_nothing(
    storage: Storage, playbook: Playbook, shown: str
) -> None:
    file_ticket(storage, playbook, "CS20260310002", customer=_person(shown, "phone"))
    for guess in ("****", shown, "", "\x00\x00\x00\x00", "**78"):
        with pytest.raises(NotFound):
            Customer(storage, "CS20260310002").get(contact=guess)


def _person(contact: str, kind: Any) -> Person:
    return Person(contact=contact, kind=kind, hash="h2")


class Calls:
    """Counts the calls of a DynamoDB client."""

    def __init__(self, client: Any) -> None:
        self.made: list[str] = []
        client.meta.events.register("before-call.dynamodb", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.made.append(model.name)


@pytest.mark.requirement("F6")
def test_a_wrong_proof_and_a_missing_ticket_are_answered_alike(
    dynamodb: Any, storage: Storage, customer: Customer
) -> None:
    """With the same text after the same DynamoDB calls and key computations."""
    missing = Customer(storage, "CS20260310999")
    storage.playbooks.get("testdesk", NOON)
    calls = Calls(dynamodb)
    for query, made in (
        ({"key": missing.key}, ["GetItem"]),
        ({}, ["GetItem"]),
        ({"contact": "8001"}, ["GetItem", "UpdateItem"]),
        ({"key": "", "contact": ""}, ["GetItem", "UpdateItem"]),
    ):
        outcomes = []
        for who in (missing, customer):
            wrong = {**query, "key": "x" * 22} if "key" in query else query
            calls.made.clear()
            with pytest.raises(NotFound) as refused:
                who.get(**wrong)
            outcomes.append((str(problem(refused.value, "en")), list(calls.made)))
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][1] == made


@pytest.mark.parametrize(("desk", "number"), [("nowhere", NUMBER), ("testdesk", "x" * 5000)])
def test_an_unknown_desk_or_an_invalid_number_is_the_same_404(
    storage: Storage, ticket: Ticket, desk: str, number: str
) -> None:
    customer = Customer(storage, number, desk)
    with pytest.raises(NotFound) as refused:
        customer.get(key=customer.key)
    with pytest.raises(NotFound) as usual:
        Customer(storage, "CS20260310999").get()
    assert refused.value.detail == usual.value.detail


@pytest.mark.requirement("A14")
def test_internal_events_are_not_shown_to_the_customer(
    customer: Customer, carry_out: CarryOut
) -> None:
    """Notes, classes and timers are internal."""
    carry_out(
        c.Classify("fault", ("login",), "medium", rules=("r1",)),
        c.SetCustomerClass("vip"),
        ASSIGN,
        c.Note("客户很着急"),
        c.SetPriority("high", "投诉风险"),
    )
    text = str(customer.get(key=customer.key).body)
    for hidden in ("NoteAdded", "客户很着急", "投诉风险", "CustomerClassed", "TimersSet", "r1"):
        assert hidden not in text
    for hidden in ("NoteAdded", "TimerWarned", "TimersSet", "CustomerClassed"):
        assert EVENTS[hidden].customer_visibility == "never"


@pytest.mark.requirement("A11", "G4")
def test_a_message_is_masked_and_resumes_the_ticket(
    customer: Customer, storage: Storage, carry_out: CarryOut
) -> None:
    """It answers a request for information."""
    carry_out(ASSIGN, c.RequestInformation("请提供账号"))
    answer = customer.send("messages", {"text": "账号是a1，电话13800138000"})
    assert (answer.status, answer.body) == (201, {"number": NUMBER, "status": "in_progress"})
    (written,) = storage.tickets.history("testdesk", NUMBER)[-1].of(CustomerWrote)
    assert written.text == "账号是a1，电话138****8000"
    assert written.channel == "web"


@pytest.mark.requirement("G1")
def test_an_idempotency_key_adds_a_message_once(customer: Customer, storage: Storage) -> None:
    """The same key with another text is refused."""
    first = customer.send("messages", {"text": "还有一事"}, idempotency_key="k1")
    again = customer.send("messages", {"text": "还有一事"}, idempotency_key="k1")
    assert (again.status, again.body) == (first.status, first.body)
    with pytest.raises(KeyReused):
        customer.send("messages", {"text": "别的事"}, idempotency_key="k1")
    customer.send("messages", {"text": "还有一事"})
    assert len(_events(storage, "CustomerWrote")) == 2


@pytest.mark.requirement("D10", "G4")
def test_a_message_can_have_files(customer: Customer, storage: Storage) -> None:
    """They are kept under their digest; a number in the name is masked."""
    import boto3

    photo = {"name": "照片13800138000.png", "content_type": "image/png", "content": PHOTO}
    customer.send("messages", {"text": "见照片", "attachments": [photo]})
    (written,) = _events(storage, "CustomerWrote")
    (file,) = written.attachments
    assert (file.name, file.size) == ("照片138****8000.png", len(REAL["png"]))
    stored = boto3.client("s3", region_name="us-east-1").get_object(Bucket="mail", Key=file.key)
    assert stored["Body"].read() == REAL["png"]
    assert stored["ContentType"] == "application/octet-stream"
    assert file.key.startswith("files/testdesk/")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": "%%%"}, "attachments.0.content"),
        ({"content": ""}, "attachments.0.content"),
        ({"content": 5}, "attachments.0.content"),
        ({"content_type": "x"}, "attachments.0.content_type"),
        ({"name": ""}, "attachments.0.name"),
        ({"key": "files/other"}, "attachments.0.key"),
    ],
)
def test_an_invalid_file_is_named(customer: Customer, change: dict[str, str], field: str) -> None:
    photo = {"name": "a.png", "content": "aGVsbG8=", **change}
    with pytest.raises(InvalidInput) as refused:
        customer.send("messages", {"text": "见照片", "attachments": [photo]})
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.requirement("D10")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("photo.png", "programs are not accepted; send a photo"),
        ("report.docx", "files with macros are not accepted; save it without"),
    ],
)
def test_a_file_that_is_refused_by_its_content_is_named(
    customer: Customer, storage: Storage, name: str, why: str
) -> None:
    """Nothing of the message is kept."""
    content = b"MZ\x90\x00" if name.endswith("png") else package("word/vbaProject.bin")
    good = {"name": "a.png", "content": PHOTO}
    bad = {"name": name, "content": b64encode(content).decode()}
    with pytest.raises(InvalidInput) as refused:
        customer.send("messages", {"text": "见照片", "attachments": [good, bad]})
    (error,) = refused.value.errors
    assert error.field == "attachments.1"
    assert error.message.startswith(why)
    assert _events(storage, "CustomerWrote") == []


def _events(storage: Storage, name: str) -> list[Any]:
    return [
        event
        for commit in storage.tickets.history("testdesk", NUMBER)
        for event in commit.of(EVENTS[name])
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "text"),
        (b'{"text": " "}', "text"),
        (b'{"text": 5}', "text"),
        (b'{"text": "a", "number": "b"}', "number"),
        (b'{"text": "' + b"x" * 4001 + b'"}', "text"),
        (b"no json", ""),
        (b"[]", ""),
    ],
)
def test_an_invalid_body_names_its_fields(customer: Customer, body: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        customer.post("messages", body, {"key": customer.key})
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.requirement("F6")
@pytest.mark.parametrize("call", ["messages", "confirmation", "survey"])
def test_only_the_key_permits_writing(customer: Customer, call: str) -> None:
    """The last four of the contact permit reading alone."""
    with pytest.raises(NotFound):
        customer.post(call, b"{}", {"contact": "8000"})


def test_unsolved_reopens_the_ticket(customer: Customer, carry_out: CarryOut) -> None:
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    answer = customer.send("confirmation", {"solved": False, "reason": "还是不行 13800138000"})
    assert answer.body == {"number": NUMBER, "status": "queued"}
    reasons = [event.reason for event in _events(customer.storage, "ConfirmationGiven")]
    assert reasons == ["还是不行 138****8000"]


@pytest.mark.requirement("A13")
def test_a_good_score_archives_the_ticket_and_is_given_once(
    customer: Customer, carry_out: CarryOut
) -> None:
    """A second answer is 409."""
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    assert customer.send("survey", {"score": 5, "comment": "很好"}).body["status"] == "archived"
    with pytest.raises(AlreadyAnswered) as refused:
        customer.send("survey", {"score": 1})
    assert refused.value.status == 409


@pytest.mark.requirement("A13")
def test_a_poor_score_goes_to_qa(customer: Customer, carry_out: CarryOut) -> None:
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    assert customer.send("survey", {"score": "3"}).body["status"] == "in_review"


@pytest.mark.requirement("A15")
@pytest.mark.parametrize("score", [0, 6, "很好", True, 4.5, None, "9" * 50])
def test_a_score_off_the_scale_is_refused(
    customer: Customer, carry_out: CarryOut, score: Any
) -> None:
    """The scale is 1 to 5."""
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    with pytest.raises(InvalidInput) as refused:
        customer.send("survey", {"score": score})
    assert [error.field for error in refused.value.errors] == ["score"]


@pytest.mark.requirement("D12", "E7")
def test_a_desk_can_ask_for_a_score_in_words(
    storage: Storage, carry_out: CarryOut, customer: Customer
) -> None:
    """Also on the page; an English customer reads and answers in English."""
    labels = (("非常满意", "Delighted", 5), ("一般", "So so", 3), ("不满意", "Not satisfied", 1))
    words = {zh: {"label": {"zh-CN": zh, "en": en}, "score": n} for zh, en, n in labels}
    worded = load({**DESK, "survey": {**DESK["survey"], "words": words}})
    storage.playbooks.cache["testdesk"] = CachedPlaybook(NOON, 1, worded)
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    page = customer.get("text/html", key=customer.key, lang="en").body
    assert 'value="非常满意" required><span>Delighted</span>' in page
    with pytest.raises(InvalidInput) as refused:
        customer.send("survey", {"score": "fine"})
    assert refused.value.errors[0].message == "one of: Delighted, So so, Not satisfied"
    assert customer.send("survey", {"score": "delighted"}).body["status"] == "archived"


def test_a_refused_call_names_the_customer_s_allowed_actions(customer: Customer) -> None:
    """With 409; the agents' actions are not named."""
    with pytest.raises(ActionNotAllowed) as refused:
        customer.send("survey", {"score": 5})
    assert refused.value.allowed == ("messages",)


@pytest.mark.requirement("B10")
@pytest.mark.parametrize("merged", [False, True])
def test_an_erased_ticket_takes_no_message(
    customer: Customer, carry_out: CarryOut, storage: Storage, playbook: Playbook, merged: bool
) -> None:
    """Its links end, and no file is kept (contract, *Links*)."""
    import boto3

    assert "/messages?" in customer.get(PAGE, key=customer.key).body
    if merged:
        file_ticket(storage, playbook, "CS2")
        carry_out(c.Merge("CS2"))
    carry_out(c.ErasePerson("asked for it"), actor="admin")
    photo = {"name": "x.png", "content_type": "image/png", "content": PHOTO}
    with pytest.raises(NotFound):
        customer.send("messages", {"text": "还有", "attachments": [photo]})
    assert boto3.client("s3", region_name="us-east-1").list_buckets()["Buckets"] == []
    assert not _events(storage, "CustomerWrote")
    assert customer.get(PAGE, key=customer.key).status == 404
    assert customer.submit("messages", text="还有").status == 404
    with pytest.raises(Forgotten):  # erased while the message was on its way
        carry_out(c.CustomerMessage("还有", "web"), actor="customer")


@pytest.mark.requirement("B10", "G4")
@pytest.mark.parametrize(
    ("call", "fields", "event"),
    [
        ("confirmation", {"solved": "false", "reason": "还是不行"}, "ConfirmationGiven"),
        ("survey", {"score": "1", "comment": "太慢"}, "SurveyAnswered"),
    ],
    ids=["confirmation", "survey"],
)
def test_an_erased_ticket_takes_no_confirmation_and_no_score(
    customer: Customer,
    carry_out: CarryOut,
    storage: Storage,
    call: str,
    fields: dict[str, str],
    event: str,
) -> None:
    """From programs and on the page."""
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    assert f"/{call}?" in customer.get(PAGE, key=customer.key).body
    erased = carry_out(c.ErasePerson("asked for it"), actor="admin")
    with pytest.raises(NotFound):
        customer.send(call, fields)
    assert customer.get(PAGE, key=customer.key).status == 404
    assert customer.submit(call, **fields).status == 404
    assert not _events(storage, event)
    assert storage.tickets.load("testdesk", NUMBER).version == erased.version


# The page


PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.requirement("A15")
def test_the_page_shows_times_to_the_second(customer: Customer, carry_out: CarryOut) -> None:
    """YYYY-MM-DD HH:MM:SS in the desk's zone."""
    carry_out(ASSIGN)
    answer = customer.get(PAGE, key=customer.key)
    assert answer.content_type == "text/html"
    assert "2026-03-10 12:00:00" in answer.body
    assert "已分配处理人员" in answer.body
    assert '<html lang="zh-CN">' in answer.body
    assert "Assigned to an agent" in customer.get(PAGE, key=customer.key, lang="en").body


@pytest.mark.requirement("G4")
def test_the_page_loads_and_leaks_nothing(customer: Customer) -> None:
    """A strict policy, own style sheets, no script, and no referrer with the key."""
    answer = customer.get(PAGE, key=customer.key)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    for outside in ("<script", "<style", "src=", "http:", "https:", " style=", " on"):
        assert outside not in re.sub(r">[^<]*<", "><", answer.body)
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', answer.body)
    assert [re.sub(r"\.[0-9a-f]{12}\.", ".", sheet) for sheet in sheets] == [
        "./static/page.css", "./static/portal.css",
    ]  # fmt: skip


def test_the_page_escapes_people_s_text(customer: Customer, carry_out: CarryOut) -> None:
    carry_out(ASSIGN, c.Resolve("<script>alert(1)</script>"))
    body = customer.get(PAGE, key=customer.key, lang='"><script>').body
    assert "<script" not in body
    assert "&lt;script&gt;alert(1)" in body


@pytest.mark.requirement("A11")
def test_the_page_shows_the_desk_s_question(customer: Customer, carry_out: CarryOut) -> None:
    """With the status link only."""
    carry_out(ASSIGN, c.RequestInformation("请提供订单截图"))
    assert "请提供订单截图" in customer.get(PAGE, key=customer.key).body
    by_contact = customer.get(PAGE, contact="8000").body
    assert "请提供订单截图" not in by_contact
    assert "<form" not in by_contact
    assert customer.key not in by_contact


@pytest.mark.requirement("A12")
def test_the_page_offers_what_the_status_allows(customer: Customer, carry_out: CarryOut) -> None:
    """A message while the ticket is open, the survey once it is resolved."""
    assert "/messages?" in customer.get(PAGE, key=customer.key).body
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    body = customer.get(PAGE, key=customer.key).body
    assert "/survey?" in body
    assert "/messages?" not in body
    carry_out(c.AnswerSurvey(5), actor="customer")
    assert "<form" not in customer.get(PAGE, key=customer.key).body


def test_a_closed_ticket_has_a_page(customer: Customer, carry_out: CarryOut) -> None:
    carry_out(c.Close("重复"))
    body = customer.get(PAGE, key=customer.key).body
    assert "重复" not in body
    assert 'data-status="closed"' in body
    assert "此请求已关闭。" in body


@pytest.mark.requirement("A13")
def test_a_form_leads_back_to_the_page(customer: Customer, carry_out: CarryOut) -> None:
    """The survey works without script."""
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    answer = customer.submit("survey", score="5", comment="谢谢 & 再见")
    assert answer.status == 303
    assert answer.headers["Location"] == f"../{NUMBER}?key={customer.key}&done=survey"
    assert [event.comment for event in _events(customer.storage, "SurveyAnswered")] == [
        "谢谢 & 再见"
    ]
    assert "感谢您的评价" in customer.get(PAGE, key=customer.key, done="survey").body


@pytest.mark.parametrize(
    ("call", "fields", "status"),
    [("survey", {"score": "5"}, 409), ("messages", {"text": ""}, 400)],
)
def test_a_refused_form_gets_a_page(
    customer: Customer, call: str, fields: dict[str, str], status: int
) -> None:
    answer = customer.submit(call, **fields)
    assert (answer.status, answer.content_type) == (status, "text/html")


@pytest.mark.requirement("D13", "C10")
def test_the_survey_page_also_takes_unsolved(customer: Customer, carry_out: CarryOut) -> None:
    carry_out(ASSIGN, c.Resolve("已重置密码"))
    assert 'name="solved" value="false"' in customer.get(PAGE, key=customer.key).body
    answer = customer.submit("confirmation", solved="false", reason="还是不行")
    assert (answer.status, "done=confirmation" in answer.headers["Location"]) == (303, True)
    assert customer.get(key=customer.key).body["status"] == "queued"


def test_a_form_keeps_the_language(customer: Customer) -> None:
    body = b"text=hello"
    answer = customer.post(
        "messages",
        body,
        {"key": customer.key, "lang": "en"},
        accept="text/html",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.headers["Location"].endswith("&done=messages&lang=en")


def test_an_unreadable_form_is_refused(customer: Customer) -> None:
    body = b"&".join(b"a%d=1" % n for n in range(30))
    with pytest.raises(Refused):
        customer.post(
            "messages",
            body,
            {"key": customer.key},
            content_type="application/x-www-form-urlencoded; charset=utf-8",
        )


def test_a_missing_ticket_is_a_page_for_browsers(storage: Storage, ticket: Ticket) -> None:
    missing = Customer(storage, "CS20260310999")
    answer = missing.get(PAGE, key=missing.key)
    assert (answer.status, "没有找到此请求" in answer.body) == (404, True)
    assert "There is no such request" in missing.get(PAGE, lang="en").body


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (PAGE, True), ("text/html", True), ("", False), ("*/*", False),
        ("application/json", False), ("application/json, text/html;q=0.5", False),
        ("text/html;q=0.9, application/json;q=0.2", True), ("text/html;q=x", False),
        ("text/html;level=1", True),
    ],
)  # fmt: skip
def test_a_client_that_accepts_html_gets_html(accept: str, page: bool) -> None:
    assert wants_page({"accept": accept}) is page


# Words


def test_every_event_has_a_label_in_each_language() -> None:
    assert all(kind.label[locale] for kind in EVENTS.values() for locale in LOCALES)


def test_unknown_terms_are_shown_as_they_are(playbook: Playbook) -> None:
    assert label(playbook.types, "dropped", "en") == "dropped"
    assert label(playbook.types, None, "en") == ""


def test_languages_are_recognised_by_their_first_part() -> None:
    assert [nearest_locale(name) for name in ("zh", "zh-Hant-TW", "EN-gb", "fr", "", None)] == [
        "zh-CN", "zh-CN", "en", None, None, None,
    ]  # fmt: skip


def test_a_ticket_in_english_has_its_page_in_english(storage: Storage, playbook: Playbook) -> None:
    filed = file_ticket(storage, playbook, "CS20260310003", locale="en")
    customer = replace(Customer(storage), number=filed.number)
    assert '<html lang="en">' in customer.get(PAGE, key=customer.key).body
