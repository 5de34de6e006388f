"""Addresses of pages: patterns, and the modules that they name."""

from pathlib import Path

import pytest

from functions.core.pages.addresses import match, module_name, page_modules


@pytest.mark.parametrize(
    ("pattern", "path", "values"),
    [
        ("", "", {}),
        ("find", "find", {}),
        ("{number}/draft", "CS1/draft", {"number": "CS1"}),
        ("{number}/{action}", "CS1/a%2Fb", {"number": "CS1", "action": "a%2Fb"}),
        ("{number}", "", None),
        ("{number}/draft", "CS1", None),
        ("{number}/draft", "CS1/drafts", None),
        ("find", "find/more", None),
    ],
)
def test_a_pattern_names_parts_of_a_path(
    pattern: str, path: str, values: dict[str, str] | None
) -> None:
    assert match(pattern, path) == values


def test_a_module_is_named_by_a_part_of_the_address(tmp_path: Path) -> None:
    for name in ("lost_link.py", "__init__.py", "_private.py", "note.txt"):
        (tmp_path / name).touch()
    assert page_modules((str(tmp_path),)) == {"lost_link"}
    assert module_name("lost-link") == "lost_link"
