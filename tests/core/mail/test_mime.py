"""Bodies that mail programs and relays encode wrongly are read nevertheless."""

import quopri
from base64 import encodebytes

import pytest

from functions.core.mail.charsets import decode
from functions.core.mail.parser import parse

pytestmark = pytest.mark.requirement("F1")
HEAD = "From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
TEXT = "洗衣机又停了，请明天派人来看看。"


def read(body: bytes, encoding: str = "base64", kind: str = "text/plain; charset=utf-8") -> str:
    head = f"{HEAD}Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    mail = parse(head.encode() + body)
    assert "parse:failed" not in mail.defects
    return mail.full_text


def base64(text: str, codec: str = "utf-8") -> bytes:
    return encodebytes(text.encode(codec))


FOOTERS = ["Users mailing list", "--\r\nUnsubscribe", "____________\r\nlist@lists.example.com",
           "退订请回复此邮件"]  # fmt: skip


@pytest.mark.parametrize("times", [1, 2, 3, 10])
@pytest.mark.parametrize("footer", FOOTERS)
def test_a_plain_footer_below_base64_is_kept_apart(footer: str, times: int) -> None:
    """Whatever the length of the last line and its padding."""
    for more in ("", "a", "ab"):
        body = base64(TEXT * times + more) + footer.encode() + b"\r\n"
        assert read(body).replace("\n", "\r\n") == f"{TEXT * times}{more}\r\n{footer}"


def test_a_plain_banner_above_base64_is_kept_apart() -> None:
    body = b"[EXTERNAL]\r\n\r\n" + base64(TEXT * 3)
    assert read(body) == f"[EXTERNAL]\n{TEXT * 3}"


@pytest.mark.parametrize(
    "text", ["Hello", "Help", "Thanks", TEXT, "My invoice is wrong. " * 30, "订单 1234 5678"]
)
def test_plain_text_that_is_called_base64_is_kept(text: str) -> None:
    assert read(text.encode()) == text.strip()


@pytest.mark.parametrize("codec", ["gbk", "utf-8", "utf-16", "iso-2022-jp", "big5"])
def test_short_base64_is_decoded_in_its_charset(codec: str) -> None:
    for text in ("文字", "日本文字和文字", "ok"):
        kind = f"text/plain; charset={codec}"
        assert read(base64(text, codec), kind=kind) == text


@pytest.mark.parametrize("encoding", ["7bit", "8bit", ""])
def test_text_whose_encoding_is_not_declared_is_decoded(encoding: str) -> None:
    assert read(base64(TEXT), encoding) == TEXT
    assert read(base64("The machine stopped again, please come."), encoding).startswith("The mach")
    assert read(quopri.encodestring(TEXT.encode()), encoding) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/?a=E5=8F&b=1",
        "Token: 5rSX6KGj5py65Y+I5YGc5LqG77yM6K+35piO5aSp5rS+5Lq65p2l55yL",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==",
        "a=3D is how = is written",
    ],
)
def test_text_that_only_looks_encoded_is_kept(text: str) -> None:
    assert read(text.encode(), "7bit") == text


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_multipart_that_is_encoded_as_a_whole_is_read(encoding: str) -> None:
    """RFC 2045, 6.4 forbids it."""
    inner = (
        f"--b=_1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}\r\n"
        "--b=_1\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF\r\n--b=_1--\r\n"
    ).encode()
    body = encodebytes(inner) if encoding == "base64" else quopri.encodestring(inner)
    head = f'{HEAD}Content-Type: multipart/mixed; boundary="b=_1"\r\n'
    raw = f"{head}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    mail = parse(raw)
    assert mail.full_text == TEXT
    assert [(file.name, file.content) for file in mail.attachments] == [("a.pdf", b"%PDF")]
    assert "encoding:multipart" in mail.defects


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"\x1b$B-!-j>&IJ\x1b(B 1", "iso-2022-jp", "①㈱商品 1"),
        (b"\x1b$B-5\x1b(B", "iso-2022-jp-2", "Ⅰ"),
        (b"\xad\xa1\xad\xea", "euc-jp", "①㈱"),
        (b"\xc6\xa1" + "商品".encode("big5"), "big5", "①商品"),
        ("价格".encode("gbk") + b"\x805", "gb2312", "价格€5"),
    ],
)
def test_characters_that_only_windows_tables_have_are_read(
    data: bytes, charset: str, text: str
) -> None:
    notes: list[str] = []
    assert decode(data, charset, notes.append) == text
    assert notes == []


@pytest.mark.parametrize("disposition", ["", "Content-Disposition: inline\r\n"])
@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_a_text_with_a_name_is_the_text(kind: str, disposition: str) -> None:
    raw = f'{HEAD}{disposition}Content-Type: {kind}; charset=utf-8; name="body.html"\r\n\r\n{TEXT}'
    mail = parse(raw.encode())
    assert (mail.text, mail.attachments) == (TEXT, ())


def test_a_named_html_version_is_no_file() -> None:
    raw = (
        f"{HEAD}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
        "Your program shows no HTML.\r\n--b\r\nContent-Type: text/html; name=mail.html\r\n\r\n"
        "<p>The machine stopped again, please send somebody.</p>\r\n--b--"
    )
    mail = parse(raw.encode())
    assert mail.text == "The machine stopped again, please send somebody."
    assert mail.attachments == ()


def test_a_named_html_part_beside_the_text_stays_a_file() -> None:
    raw = (
        f"{HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n"
        "--b\r\nContent-Type: text/html; name=report.html\r\n\r\n<p>Report</p>\r\n--b--"
    )
    mail = parse(raw.encode())
    assert mail.text == "Hello"
    assert [file.name for file in mail.attachments] == ["report.html"]


def test_the_only_part_is_shown_although_it_is_called_an_attachment() -> None:
    disposition = "Content-Disposition: attachment; filename=note.txt\r\n"
    mail = parse(f"{HEAD}{disposition}Content-Type: text/plain\r\n\r\nHello".encode())
    assert mail.text == "Hello"
    assert [file.name for file in mail.attachments] == ["note.txt"]
