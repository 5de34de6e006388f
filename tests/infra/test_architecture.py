"""Who may import whom: the rules of the house (`docs/architecture.md`), read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
ROOMS = ("intake", "router", "sla_timer", "notify", "survey", "portal", "workbench", "unseal")
SOURCES = sorted(FUNCTIONS.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(FUNCTIONS).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree: ast.AST, *, nested: bool = True) -> Iterator[str]:
    """The modules that a file imports; with `nested` those inside functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif _only_for_types(node):
            continue
        elif nested or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, nested=nested)


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def everything(tree: ast.AST) -> Iterator[str]:
    """All imports, those for type checkers too: who knows whom."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_the_house_has_these_rooms() -> None:
    """F10."""
    found = {path.name for path in FUNCTIONS.iterdir() if (path / "__init__.py").exists()}
    assert found == {"core", *ROOMS}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    """Core knows no room, a room knows only core and itself, nobody knows `infra` or `app`."""
    tree = ast.parse(path.read_text("utf-8"))
    allowed = {"core", room_of(path)}
    for module in everything(tree):
        parts = module.split(".")
        assert parts[0] not in {"infra", "tests", "app"}, module
        if parts[0] == "functions" and len(parts) > 1:
            assert parts[1] in allowed, f"{path.name} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_chalice_stays_at_the_door(path: Path) -> None:
    """In a room only `handler.py`, and the authorizer of its routes, know Chalice."""
    knows = any(
        module.split(".")[0] == "chalice"
        for module in everything(ast.parse(path.read_text("utf-8")))
    )
    if knows and room_of(path) != "core":
        assert path.name in {"handler.py", "authorizer.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_boto3_and_chalice_do_not_slow_a_core_module(path: Path) -> None:
    """Core's modules come up without boto3; Chalice stands in core where HTTP is answered only."""
    top = {
        module.split(".")[0] for module in imports(ast.parse(path.read_text("utf-8")), nested=False)
    }
    if room_of(path) == "core":
        assert "boto3" not in top
        assert "chalice" not in top or path.name == "web.py"


def test_every_folder_says_what_it_is_for() -> None:
    """A package's docstring says what it is for and what may be touched there."""
    packages = [
        path
        for name in ("functions", "infra", "tests")
        for path in (ROOT / name).rglob("__init__.py")
    ]
    assert len(packages) > len(ROOMS)
    silent = [p for p in packages if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert not silent
