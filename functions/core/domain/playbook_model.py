"""The part of a playbook about a language model, which writes drafts that a person checks."""

from datetime import timedelta
from decimal import ROUND_UP, Decimal
from typing import Annotated, Literal

from pydantic import Field

from functions.core.domain.playbook_types import Amount, Section, Slug, Wait

ModelTask = Literal["draft", "summary", "phrasings"]
TICKET_TASKS: tuple[ModelTask, ...] = ("draft", "summary")
"""The tasks about a ticket, by calls beside its actions."""

MAX_TIMEOUT = timedelta(seconds=10)
"""The longest `timeout`: with the start of the function, the API's own call ends within 15 s."""

_UNIT = Decimal("0.000001")
_PER = 1_000_000

PositiveAmount = Annotated[Amount, Field(gt=0)]


class TokenPrice(Section):
    """The price of a model in USD for a million tokens of input, and of output."""

    input: PositiveAmount
    output: PositiveAmount

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        """Return the price of a use in USD, rounded up to a millionth."""
        exact = (self.input * input_tokens + self.output * output_tokens) / _PER
        return exact.quantize(_UNIT, ROUND_UP)


class LanguageModel(Section):
    """The language model of a desk; without one nothing is sent anywhere.

    An `openai` model is at `url`, and `secret` names its key; a `bedrock` model is AWS's own.
    `budget` is what the desk may spend in a local day, in USD.
    """

    provider: Literal["openai", "bedrock"]
    model: Annotated[str, Field(min_length=1, max_length=300)]
    url: Annotated[str, Field(max_length=500)] | None = None
    secret: Slug | None = None
    timeout: Annotated[Wait, Field(le=MAX_TIMEOUT)] = timedelta(seconds=8)
    budget: PositiveAmount
    price: TokenPrice
    uses: Annotated[tuple[ModelTask, ...], Field(min_length=1)] = (*TICKET_TASKS, "phrasings")
