"""The new text of a reply, by mail client and language."""

from functools import partial

import pytest
from hypothesis import given, settings, strategies as st

from functions.core.mail.html import Kind, TextLine
from functions.core.mail.replies import newly_written, strip_reply
from tests.examples import examples
from tests.growth import grows_with_length, seconds

pytestmark = pytest.mark.requirement("F1")
EXAMPLES = examples(__file__)
NEW = "The washing machine stopped again.\nPlease send somebody tomorrow."

# How mail clients begin the history below an answer. The quoted text itself follows unmarked.
HISTORIES = EXAMPLES["histories"]
OLD = "Dear customer,\n\nour technician will call.\n\nExample Desk"


@pytest.mark.parametrize("client", HISTORIES)
def test_history_is_cut_and_alone_is_kept_whole(client: str) -> None:
    """Marked or not, and directly below the answer."""
    history = HISTORIES[client]
    quoted = "\n".join(f"> {line}" for line in OLD.split("\n"))
    for below in (
        f"\n\n{history}\n\n{OLD}\n",
        f"\n\n{history}\n\n{quoted}\n",
        f"\n{history}\n{OLD}",
    ):
        assert strip_reply(NEW + below) == NEW
    alone = f"{history}\n\n{OLD}"
    assert strip_reply(alone).split() == alone.split()


def test_a_device_line_a_signature_and_a_disclaimer_are_cut() -> None:
    ends = (*EXAMPLES["device_lines"], *EXAMPLES["signatures"])
    assert [end for end in ends if strip_reply(f"{NEW}\n\n{end}\n") != NEW] == []


def test_a_mail_without_a_quotation_loses_nothing() -> None:
    assert [text for text in EXAMPLES["without_a_quotation"] if strip_reply(text) != text] == []


@pytest.mark.parametrize("history", ["> Old text\n> more of it", "Old text\nmore of it"])
def test_an_introduction_wrapped_before_its_time_is_cut(history: str) -> None:
    answer = "It works now.\nThank you"
    for introduction in EXAMPLES["introductions"]:
        assert strip_reply(f"{answer}\n\n{introduction}\n\n{history}\n") == answer


@pytest.mark.parametrize(
    "text",
    [
        "We met on 10 March 2026\n09:00 works for me:\nplease confirm",
        "来的时间是3月10日\n9:00可以吗",
    ],
)
def test_a_time_below_a_date_is_no_introduction(text: str) -> None:
    assert strip_reply(text) == text


def test_a_date_and_address_before_quoted_lines_are_an_introduction() -> None:
    text = f"{NEW}\n\n2011/4/7 Example Desk <desk@example.com>\n\n> Which model?\n"
    assert strip_reply(text) == NEW


def test_answers_between_quoted_lines_are_kept() -> None:
    text = (
        "On Mon, 1 Jan 2024 at 12:00, Desk <desk@example.com> wrote:\n"
        "> Which model is it?\n\nAn X-1.\n\n> Since when?\n> And how often?\n"
        "Since Monday.\nEach time.\n\n> Regards\n> Desk\n\n-- \nExample Person"
    )
    assert strip_reply(text) == "An X-1.\n\nSince Monday.\nEach time."


def test_an_answer_below_the_quotation_is_kept() -> None:
    text = "On 1 Jan 2024, Desk wrote:\n> Which model is it?\n> Thanks\n\nAn X-1, bought in May."
    assert strip_reply(text) == "An X-1, bought in May."


def test_wrapped_ends_of_quoted_lines_are_cut() -> None:
    text = (
        "Yes.\n\nOn 1 Jan 2024, Desk <desk@example.com> wrote:\n"
        "> A long line that a relay on the way has broken off at a column of\nits own\n> choice.\n"
    )
    assert strip_reply(text) == "Yes."


@pytest.mark.parametrize(
    "signature",
    ["----\nLi Wei\nExample Shop\nTel: +86 571 88888888\nwww.example.com",
     "-----\n李伟\n示例公司\n电话：0571-88888888\n邮箱：a@example.com"],
)  # fmt: skip
def test_a_signature_below_a_drawn_line_is_cut(signature: str) -> None:
    assert strip_reply(f"{NEW}\n\n{signature}") == NEW


def test_text_directly_below_a_device_line_is_kept() -> None:
    text = (
        "Sent from my iPhone\nThe display is broken, and nobody answers the phone.\n\nPlease help."
    )
    assert strip_reply(text) == text.partition("\n")[2]


def test_a_gateway_s_warning_is_cut() -> None:
    banner = "CAUTION: This email originated from outside of the organization."
    assert strip_reply(f"{banner}\n\n{NEW}") == NEW


def test_markup_alone_identifies_history() -> None:
    lines = [
        TextLine("New."),
        TextLine("Anything at all", Kind.HISTORY),
        TextLine("me", Kind.SIGNATURE),
    ]
    assert newly_written(lines).text == "New."


@given(
    st.text(
        alphabet=st.sampled_from(">:-_ \n<@.*,aOn1wrote发件人主题：写道FromSubject"), max_size=400
    )
)
@settings(max_examples=100)
def test_some_text_always_remains(text: str) -> None:
    assert bool(strip_reply(text).strip()) == bool(text.strip("\n").strip())


@given(st.lists(st.text(alphabet="abc de.\n", min_size=1, max_size=60), max_size=10))
def test_ordinary_text_is_never_changed(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    assert strip_reply(text).split() == text.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "On " * 100_000,
        "<" * 250_000,
        "a@" * 125_000 + ":",
        "> \n" * 75_000,
        "On 1 Jan 2024, x <a@example.com>\n" * 8_000,
        "wrote:\n" * 30_000,
        "From: a@example.com\n\n" * 12_000,
        "- - - - " * 30_000,
        "Sent from my " * 20_000,
        "This message " * 20_000,
        ("This message is " * 30 + "\n\n") * 500,
    ],
)
def test_parsing_time_is_linear_for_a_hostile_mail(text: str) -> None:
    assert grows_with_length(strip_reply, text)


@pytest.mark.parametrize(
    "form",
    ["{}", "> {}", "Yes.\n\n{}:", "On 1 Jan 2024 {} wrote:", "From: {}", "{} a@example.com:",
     "-- \n{}", "Yes.\n\n{}?", "---- {} ----"],
)  # fmt: skip
def test_a_long_line_is_parsed_quickly(form: str) -> None:
    units = "a|a |A b |-|- |*|* |1|1.|: |<a@b |a@a.|> |(|'|写道|发件人：|wrote: |x:|this message "
    for unit in [*units.split("|"), "|", "| a ", "best regards ", "Sent from my ", "original "]:
        long, short = (form.format((unit * 500)[:size]) for size in (480, 120))
        whole, part = (
            seconds(partial(strip_reply, long), 2),
            seconds(partial(strip_reply, short), 2),
        )
        assert whole < 4**3 * part, unit
