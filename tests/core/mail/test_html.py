"""The text of HTML that is damaged, hidden in part, or quotes."""

import pytest

from functions.core.mail.html import Kind, lines, to_text
from functions.core.mail.parser import parse
from tests.examples import examples
from tests.growth import grows_with_length

pytestmark = pytest.mark.requirement("F1")
EXAMPLES = examples(__file__)


@pytest.mark.parametrize("document", EXAMPLES["documents"])
def test_no_text_is_lost_in_damaged_or_hiding_markup(document: str) -> None:
    assert to_text(document).strip() == "Hello"


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='display: none !important'>x</div>",
        "<div style='font-size:0'>x</div>",
        "<div style='font-size:0.0em'>x<i style='font-size:2em'>y</i></div>",
        "<div style='visibility:hidden'>x</div>",
        "<style>x</style>",
        "<title>x</title>",
        "<head><meta name=x></head>",
    ],
)
def test_what_nobody_sees_is_no_text(hidden: str) -> None:
    assert to_text(f"{hidden}<p>Hello</p>") == "Hello"


def test_an_endless_character_reference_loses_no_mail() -> None:
    head = "From: a@example.com\r\nContent-Type: text/html\r\n\r\n"
    mail = parse(f"{head}<p>&#{'9' * 5000};Hello</p>".encode())
    assert "parse:failed" not in mail.defects
    assert mail.text.endswith("Hello")


OWN = ["The page says:", "页面提示：", "He told me on the phone:"]
INTRODUCTIONS = ["On 1 Jan 2024, Desk wrote:", "2024年1月1日，Desk &lt;d@example.com&gt; 写道：",
                 "Desk 写道："]  # fmt: skip
STYLES = ["", " style='border-left:3px solid #ccc;padding-left:8px'", " class='quote'"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("above", OWN)
def test_the_writer_s_own_indented_text_is_no_quotation(above: str, style: str) -> None:
    found = lines(f"<p>{above}</p><blockquote{style}>Error 17</blockquote><p>What now?</p>")
    assert [line.text for line in found if line.text] == [above, "Error 17", "What now?"]
    assert {line.kind for line in found} == {Kind.TEXT}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("above", INTRODUCTIONS)
def test_an_introduced_quotation_is_one(above: str, style: str) -> None:
    found = lines(f"<p>{above}</p><blockquote{style}>Which model?</blockquote><p>An X-1.</p>")
    assert [line.text for line in found if line.kind is Kind.QUOTE and line.text != ">"] == [
        "> Which model?"
    ]


def test_a_styled_quotation_at_the_end_is_one() -> None:
    found = lines(f"<p>Your question:</p><blockquote{STYLES[1]}>Which model?</blockquote>")
    assert Kind.QUOTE in {line.kind for line in found}


@pytest.mark.parametrize(
    "unit", ["border:", "margin:0 0 0 ", "font-size:0 ", "font:0", "0", "a:b;"]
)
def test_the_time_for_a_style_is_linear_in_its_length(unit: str) -> None:
    text = (unit * 8000)[:7800]
    assert grows_with_length(lambda style: to_text(f"<blockquote style='{style}'>x" * 20), text)


@pytest.mark.parametrize("unit", ["ydp", "yahoo", "x_signature", "gmail_"])
def test_the_time_for_a_class_is_linear_in_its_length(unit: str) -> None:
    text = (unit * 8000)[:7800]
    assert grows_with_length(lambda names: to_text(f"<div class='{names}'>x</div>" * 20), text)


@pytest.mark.slow
def test_the_time_for_nested_links_is_linear() -> None:
    def read(text: str) -> None:
        count = len(text)
        to_text("<a href=http://x>" * count + "x<b>" * 50 * count + "</a>" * count)

    assert grows_with_length(read, "x" * 1_600)
