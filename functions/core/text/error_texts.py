"""The texts of errors in Chinese. The code raises them in English (`domain.errors.Phrase`).

Both languages have the same `{placeholders}`. A test walks all errors of the code and fails for one
that is missing here.
"""

from functions.core.domain.errors import Phrase, spoken
from functions.core.domain.rules import Locale
from functions.core.text.tables import read_table


def translated(text: str, locale: Locale) -> str:
    """Say the text of an error in a language; a text that is not known stays English."""
    if locale == "en":
        return str(text)
    template, values = (text.template, text.values) if isinstance(text, Phrase) else (text, {})
    chinese = read_table("errors").get(template)
    if chinese is None:
        return str(text)
    said = {
        name: translated(value, locale) if isinstance(value, Phrase) else spoken(value, locale)
        for name, value in values.items()
    }
    return chinese[locale].format(**said)
