"""Render pages and parts of pages from jinja templates; everything is escaped.

Each function has its templates and texts in a folder of its own; all extend `templates/base.html`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.core.domain.rules import Locale
from functions.core.pages.assets import asset
from functions.core.text.words import TEXTS

if TYPE_CHECKING:
    from jinja2 import Environment

Texts = Mapping[str, Mapping[Locale, str]]

_SHARED = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Pages:
    """The pages of a function.

    Attributes:
        folder: its templates.
        texts: its texts by key; `TEXTS` has those that others share.
    """

    folder: Path
    texts: Texts

    def render(self, template: str, locale: Locale, root: str, **values: Any) -> str:
        """Render a template.

        In it, `t(key, …)` is a text in the language of the page, `asset(name)` the address of a
        static file, `icon(name)` the address of an icon, and `root` leads to the API's own address.

        Args:
            root: the path from the page to the API's root, without a trailing slash.
        """
        return (
            _environment(self.folder)
            .get_template(template)
            .render(
                t=partial(self.say, locale=locale),
                locale=locale,
                other_locale="en" if locale == "zh-CN" else "zh-CN",
                root=root,
                asset=lambda name: f"{root}/{asset(name)}",
                icon=lambda name: f"{root}/{asset('icons.svg')}#{name}",
                **values,
            )
        )

    def say(self, key: str, *, locale: Locale, **values: object) -> str:
        """Return a text in a language.

        Raises:
            KeyError: there is no such text.
        """
        texts = self.texts.get(key) or TEXTS[key]
        return texts[locale].format(**values) if values else texts[locale]


@lru_cache(maxsize=4)
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([folder, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
