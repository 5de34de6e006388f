"""One use of a desk's language model: what was asked, what it cost, what came of it.

A use holds no text. `ModelRequest` and `ModelResult` are what the API and the function
`language_model` say to each other.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from functions.core.domain.playbook_model import ModelTask
from functions.core.domain.playbook_types import Locale

Outcome = Literal["started", "answered", "no_answer", "timeout", "refused", "failed"]
"""The end of a use. One that is still `started` after a minute was cut off."""

Reason = Literal["off", "budget", "no_article", "no_answer", "failed"]
"""The reason why there is no text."""


@dataclass(frozen=True)
class ModelUse:
    """One use. `about` is a ticket's number or an article's id, `by` the person who asked, `day`
    the desk's local day that pays, and `cost` in USD; until the use has ended, the most it can be.
    """

    desk: str
    day: str
    at: datetime
    id: str
    task: ModelTask
    about: str
    by: str
    model: str
    cost: Decimal
    outcome: Outcome = "started"
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0

    def ended(
        self,
        outcome: Outcome,
        cost: Decimal,
        seconds: float,
        input_tokens: int = 0,
        output_tokens: int = 0,
    ) -> Self:
        return replace(
            self,
            outcome=outcome,
            cost=cost,
            seconds=round(seconds, 3),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )

    def logged(self) -> dict[str, Any]:
        """Return what the log says of a use; the log line has its own time."""
        fields = asdict(self)
        del fields["at"]
        return fields | {"cost": str(self.cost)}


class _Passed(BaseModel):
    model_config = ConfigDict(defer_build=True, hide_input_in_errors=True)


class ModelRequest(_Passed):
    """A request for a text, for the person or `system` in `by`.

    `articles` are those that a draft has to use.
    """

    desk: str
    task: ModelTask
    about: str
    by: str
    articles: tuple[str, ...] = ()
    locale: Locale = "en"


class UsedArticle(_Passed):
    """An article that a draft is grounded in."""

    id: str
    title: str


class ModelResult(_Passed):
    """The text, or why there is none."""

    text: str = ""
    articles: tuple[UsedArticle, ...] = ()
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = Decimal(0)
    refused: Reason | None = None
    renews_at: datetime | None = None
