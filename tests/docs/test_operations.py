"""Every command, setting, alarm and log event is documented, and no link is broken."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup, TyperOption

from infra.console.main import app
from infra.deploy.stacks import load_template

pytestmark = pytest.mark.requirement("G3", "G7", "G8")
ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TEXT = OPERATIONS + (ROOT / "README.md").read_text(encoding="utf-8")
SOURCES = [ROOT / "app.py", *(ROOT / "functions").rglob("*.py"), *(ROOT / "infra").rglob("*.py")]
TEMPLATES = {
    name: load_template(ROOT / "infra" / "templates" / f"{name}.yaml")
    for name in ("foundation", "wiring")
}
STREAM_READERS = ("router", "notify")
"""The functions whose names `platform/stream.py` puts into its log events."""
LOG_LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


def _commands(group: TyperGroup, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        at = f"{path} {name}"
        if isinstance(command, TyperGroup):
            yield from _commands(command, at)
        else:
            yield at, command


def _console() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(_commands(group, "deskbell"))


CONSOLE = _console()
OPTIONS = sorted(
    {
        (command, name)
        for command, found in CONSOLE.items()
        for parameter in found.params
        if isinstance(parameter, TyperOption)
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--") and name not in ("--help", "--no-fresh")
    }
)


def _variables(path: Path) -> Iterator[str]:
    """Return the variables that a file reads by `os.environ`, `os.getenv` or `envvar=`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        for name in _read_by(node):
            value = constants.get(name.id) if isinstance(name, ast.Name) else None
            if isinstance(name, ast.Constant):
                value = name.value
            if isinstance(value, str):
                yield value


def _read_by(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _environ(node.value):
        yield node.slice
    elif isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Attribute) and node.args:
            of_environ = function.attr == "get" and _environ(function.value)
            if of_environ or function.attr == "getenv":
                yield node.args[0]
        yield from (word.value for word in node.keywords if word.arg == "envvar")
    elif isinstance(node, ast.Compare) and any(_environ(value) for value in node.comparators):
        yield node.left


def _environ(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


@cache
def variables() -> list[str]:
    """Return the environment variables that the sources read."""
    return sorted({name for path in SOURCES for name in _variables(path)})


def _log_events(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LOG_LEVELS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "log"
        ):
            event = node.args[0]
            if isinstance(event, ast.Constant):
                yield str(event.value)
            else:
                assert isinstance(event, ast.JoinedStr), ast.unparse(node)
                _, suffix = event.values  # f"{function}.again"
                assert isinstance(suffix, ast.Constant)
                yield from (function + str(suffix.value) for function in STREAM_READERS)


@cache
def log_events() -> list[str]:
    """Return the events that the sources log."""
    return sorted({name for path in SOURCES for name in _log_events(path)})


def _alarms() -> list[str]:
    return [
        resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("deskbell-${Stage}-")
        for resource in TEMPLATES["foundation"]["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]


def test_commands_variables_events_and_alarms_are_collected() -> None:
    assert {"deskbell up", "deskbell deploy", "deskbell quarantine replay"} <= set(CONSOLE)
    assert ("deskbell quarantine replay", "--all") in OPTIONS
    assert {"PORT", "DESKBELL_STAGE", "DESKBELL_CORPORA", "AWS_CHALICE_CLI_MODE"} <= set(
        variables()
    )
    assert {"record.dead_lettered", "delivery.sent", "sweep.done"} <= set(log_events())
    assert "mail-dlq" in _alarms()


@pytest.mark.parametrize("command", CONSOLE)
def test_a_command_is_explained(command: str) -> None:
    assert re.search(rf"`{re.escape(command)}[ `]", OPERATIONS), f"no `{command}`"


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_each_readme_lists_every_console_command_and_no_other(readme: str) -> None:
    listed: list[str] = []
    for row in re.findall(
        r"^\| (`deskbell [a-z][^|]*) \|", (ROOT / readme).read_text("utf-8"), re.M
    ):
        first, *others = re.findall(r"`([^`]+)`", row)
        group = first.rpartition(" ")[0]
        listed += [first, *(f"{group} {name}" for name in others)]
    assert sorted(listed) == sorted(CONSOLE)


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_an_option_is_explained(command: str, option: str) -> None:
    """In the row of its command, or in its own row."""
    rows = [line for line in OPERATIONS.splitlines() if line.startswith("|")]
    of_command = [row for row in rows if re.match(rf"\| `{re.escape(command)}[ `]", row)]
    alone = [row for row in rows if re.match(rf"\| `{re.escape(option)}[ `]", row)]
    assert any(f"{option}`" in row or f"{option} " in row for row in of_command) or alone


@pytest.mark.parametrize(
    ("template", "parameter"),
    [(name, parameter) for name, found in TEMPLATES.items() for parameter in found["Parameters"]],
)
def test_a_parameter_of_a_template_is_explained(template: str, parameter: str) -> None:
    assert re.search(rf"^\| `{parameter}` \| [a-z, ]*\b{template}\b", OPERATIONS, re.MULTILINE)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_default_of_a_template_is_documented(template: str) -> None:
    for name, parameter in TEMPLATES[template]["Parameters"].items():
        (row,) = re.findall(rf"^\| `{name}` \| [a-z, ]*\b{template}\b.*$", OPERATIONS, re.MULTILINE)
        if parameter.get("Default"):
            assert f"`{parameter['Default']}`" in row


@pytest.mark.parametrize("alarm", _alarms())
def test_an_alarm_has_instructions(alarm: str) -> None:
    assert re.search(rf"^\| `{re.escape(alarm)}` \| \S", OPERATIONS, re.MULTILINE)


def test_every_environment_variable_is_explained() -> None:
    assert [name for name in variables() if f"`{name}`" not in TEXT] == []


def test_the_page_explains_every_log_event_and_no_other() -> None:
    (section,) = re.findall(r"^## Logs$(.*?)^## ", OPERATIONS, re.MULTILINE | re.DOTALL)
    cells = re.findall(r"^\| (`[^|]+) \| \S", section, re.MULTILINE)
    assert sorted(re.findall(r"`([^`]+)`", " ".join(cells))) == log_events()


@pytest.mark.parametrize("resource", ["Table", "MailBucket", "ArchiveBucket", "UserPool"])
def test_a_resource_that_holds_data_outlives_its_stack(resource: str) -> None:
    """The page on deleting a stack promises it."""
    policy = TEMPLATES["foundation"]["Resources"][resource]["DeletionPolicy"]
    assert policy == "RetainExceptOnCreate"


def _anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r"<a id=\"([^\"]+)\">", text))


def _links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_broken(page: Path) -> None:
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in _anchors(target), f"{page.name}: {link}"


@pytest.mark.requirement("A9")
def test_each_line_of_the_answers_report_is_explained() -> None:
    source = (ROOT / "infra" / "console" / "commands" / "answers.py").read_text("utf-8")
    text = (ROOT / "docs" / "knowledge.md").read_text("utf-8")
    lines = re.findall(r'say\(f"([^:{]+):', source)
    assert lines
    assert [line for line in lines if f"`{line}:" not in text] == []
