"""A JSON body is read as its schema says: a number in a text is a text."""

import pytest

from functions.core.domain.commands import agent_actions
from functions.core.domain.errors import InvalidInput
from functions.core.text.json_body import parse_model

pytestmark = pytest.mark.requirement("G14")
RECORD_CALL = agent_actions()["record-call"].body


@pytest.mark.parametrize(("given", "version"), [("3", 3), ("3.0", 3), ("null", None)])
def test_a_whole_number_is_read(given: str, version: int | None) -> None:
    body = f'{{"outcome": "told", "version": {given}}}'.encode()
    assert parse_model(RECORD_CALL, body).version == version


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("version", '"3"'), ("version", "true"), ("version", "3.5"), ("reached", '"true"'),
        ("reached", "1"), ("outcome", "5"), ("nothing", "1"),
    ],
)  # fmt: skip
def test_another_type_is_refused(field: str, given: str) -> None:
    body = f'{{"outcome": "told", "{field}": {given}}}'.encode()
    with pytest.raises(InvalidInput) as refused:
        parse_model(RECORD_CALL, body)
    assert [error.field for error in refused.value.errors] == [field]
