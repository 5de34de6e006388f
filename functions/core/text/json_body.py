"""Parse a JSON body into a pydantic model; an error names every wrong field."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from functions.core.domain.errors import FieldError, InvalidInput, Phrase

Model = TypeVar("Model", bound=BaseModel)

_MESSAGES = {
    "missing": "this field is required",
    "extra_forbidden": "there is no such field",
    "model_type": "send a JSON object",
    "dict_type": "send a JSON object here",
    "date_type": "a day such as 2026-01-31",
    "date_parsing": "a day such as 2026-01-31",
    "date_from_datetime_inexact": "a day such as 2026-01-31",
    "date_from_datetime_parsing": "a day such as 2026-01-31",
    "string_type": "Input should be a valid string",
    "int_type": "Input should be a valid integer",
    "int_parsing": "Input should be a valid integer",
    "int_from_float": "Input should be a valid integer",
    "bool_type": "Input should be true or false",
    "bool_parsing": "Input should be true or false",
    "tuple_type": "Input should be a list",
    "literal_error": "Input should be {expected}",
    "string_too_short": "{min_length} characters at least",
    "string_too_long": "{max_length} characters at most",
    "string_pattern_mismatch": "This is not written as it should be",
    "too_long": "{max_length} entries at most, not {actual_length}",
    "greater_than_equal": "Input should be greater than or equal to {ge}",
    "less_than_equal": "Input should be less than or equal to {le}",
}
"""pydantic's error type → the message for it; other types keep pydantic's own message."""


def parse_json(body: bytes) -> Any:
    """Parse a JSON body; an empty one is an empty object.

    Raises:
        InvalidInput: it is not JSON in UTF-8.
    """
    try:
        # Unlike `json`, this refuses lone surrogates ("\\ud800"), which no table can store.
        return from_json(body or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise InvalidInput(
            "The body is not JSON in UTF-8.", (FieldError("", "send a JSON object"),)
        ) from error


def parse_model(model: type[Model], body: bytes) -> Model:
    """Parse a JSON body into a model.

    Raises:
        InvalidInput: it is not JSON, or some fields are invalid; the error names each of them.
    """
    parse_json(body)  # its refusals are stricter than the model's
    try:
        # Strict: a number in a text, or "true", is not what the API's description says.
        return model.model_validate_json(body or b"{}", strict=True)
    except ValidationError as error:
        raise InvalidInput(
            "Some fields are invalid.", tuple(map(_field_error, error.errors()))
        ) from error


def _field_error(error: ErrorDetails) -> FieldError:
    name = ".".join(str(part) for part in error["loc"])
    template = _MESSAGES.get(error["type"])
    if template is None:
        return FieldError(name, error["msg"].removeprefix("Value error, "))
    return FieldError(name, Phrase(template, **error.get("ctx", {})))
