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
from tests.sources import parsed

pytestmark = [
    pytest.mark.requirement("G3", "G7", "G8"),
    pytest.mark.xdist_group("sources"),
]
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
    tree = parsed(path)
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
    for node in ast.walk(parsed(path)):
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


def test_every_command_is_explained() -> None:
    assert [name for name in CONSOLE if not re.search(rf"`{name}[ `]", OPERATIONS)] == []


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


def test_every_option_is_explained() -> None:
    """In the row of its command, or in its own row."""
    rows = re.findall(r"^\| `.*", OPERATIONS, re.MULTILINE)
    for command, option in OPTIONS:
        explained = re.compile(rf"\| `({command}[ `].*{option}[` ]|{option}[ `])")
        assert any(map(explained.match, rows)), f"{command} {option}"


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_parameters_of_a_template_and_their_defaults_are_explained(template: str) -> None:
    for name, parameter in TEMPLATES[template]["Parameters"].items():
        rows = re.findall(rf"^\| `{name}` \| [a-z, ]*\b{template}\b.*$", OPERATIONS, re.MULTILINE)
        assert len(rows) == 1, name
        if parameter.get("Default"):
            assert f"`{parameter['Default']}`" in rows[0]


def test_every_alarm_has_instructions() -> None:
    explained = re.findall(r"^\| `([^`]+)` \| \S", OPERATIONS, re.MULTILINE)
    assert set(_alarms()) <= set(explained)


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


def test_no_link_is_broken() -> None:
    for page, link in [(each, link) for each in PAGES for link in _links(each)]:
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
