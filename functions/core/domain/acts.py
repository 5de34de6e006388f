"""Messages between the pages and the function `administration`."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from functions.core.domain.rules import Locale


class ActRequest(BaseModel):
    """An act by its name, `<module>.<function>`, who asks for it, and what it is given."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    act: str
    desk: str
    username: str
    locale: Locale
    given: dict[str, Any] = {}


class Refusal(BaseModel):
    """A refusal in the person's language; `kind` names its class in `core/domain/errors.py`."""

    kind: str
    detail: str
    errors: list[tuple[str, str]] = []


class ActResult(BaseModel):
    """The result of an act, as JSON, or its refusal."""

    model_config = ConfigDict(hide_input_in_errors=True)

    result: Any = None
    refusal: Refusal | None = None
