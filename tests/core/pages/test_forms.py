"""Forms as browsers send them, with files and without."""

from datetime import timedelta

import pytest

from functions.core.domain.errors import InvalidInput
from functions.core.pages.forms import FormFile, read_content
from functions.core.pages.security import age_of_token, timed_token
from functions.core.platform.settings import Deployment
from functions.core.platform.web import Request
from tests.core.sample_desk import NOON

pytestmark = pytest.mark.requirement("H1")
MARK = "----WebKitFormBoundaryAbC"


def sent(body: bytes, content_type: str = f"multipart/form-data; boundary={MARK}") -> Request:
    deployment = Deployment("aws", "us-east-1", "123456789012", "test")
    return Request("POST", deployment, NOON, headers={"content-type": content_type}, body=body)


def part(head: str, content: bytes) -> bytes:
    return (
        f"--{MARK}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
    )


END = f"--{MARK}--\r\n".encode()


def test_fields_and_files_are_read_as_they_were_sent() -> None:
    """Bytes stay bytes, names are unescaped, line breaks are one character."""
    content = bytes(range(256)) + b"\r\n--" + MARK[:-1].encode() + b"\r\n\n"
    body = (
        part('name="description"', "第一行\r\n第二行".encode())
        + part('name="a"', b"1")
        + part('name="a"', b"2")
        + part('name="attachments"; filename="截图%22.png"\r\nContent-Type: image/png', content)
        + part('name="attachments"; filename=""\r\nContent-Type: application/octet-stream', b"")
        + END
    )
    found = read_content(sent(body))
    assert found.fields == {"description": ["第一行\n第二行"], "a": ["1", "2"]}
    assert found.files == (FormFile('截图".png', "image/png", content),)
    assert (found.value("a"), found.value("b")) == ("1", "")


def test_a_form_without_files_is_read_too() -> None:
    request = sent(b"text=%E4%BD%A0%E5%A5%BD", "application/x-www-form-urlencoded")
    assert read_content(request).fields == {"text": ["你好"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        END[:-4],
        part('name="a"', b"1"),
        part('name="a"', b"\xff\xfe") + END,
        part('filename="a"', b"1") + END,
        f"--{MARK}\r\nno blank line".encode() + b"\r\n" + END,
        part('name="a"', b"1") * 300 + END,
    ],
)
def test_a_damaged_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_content(sent(body))


def test_a_form_without_a_boundary_is_refused() -> None:
    with pytest.raises(InvalidInput):
        read_content(sent(END, "multipart/form-data"))


def test_a_timed_token_says_how_old_a_page_is() -> None:
    token = timed_token(b"secret", "file/x", NOON)
    later = NOON + timedelta(minutes=5)
    assert age_of_token(b"secret", "file/x", token, later) == timedelta(minutes=5)
    seconds, _, mac = token.partition(".")
    many = ("9" * 12, "9" * 40)  # no clock has such a year
    times = (str(int(seconds) + 1), *many)
    for forged in ("", "x", f"{seconds}.", *(f"{each}.{mac}" for each in times)):
        assert age_of_token(b"secret", "file/x", forged, later) is None
    assert age_of_token(b"secret", "file/y", token, later) is None
    assert age_of_token(b"other", "file/x", token, later) is None
