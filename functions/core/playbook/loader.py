"""Reading a playbook from a YAML file or a dict, with the line of each key."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from functions.core.domain.errors import PlaybookError
from functions.core.domain.rules import Playbook
from functions.core.playbook import checks, references
from functions.core.playbook.explain import Location, Problem, report, schema_problems

if TYPE_CHECKING:
    _Parser = yaml.SafeLoader
else:
    # Parsing in C is ten times as fast; the package on Lambda leaves it out, which is its size.
    _Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_DEPTH = 50
"""The deepest nesting of keys and lists in a file."""
MAX_KEYS = 100_000
"""The most keys whose lines are known."""


def load(source: str | Path | Mapping[str, Any]) -> Playbook:
    """Read and check a playbook, from the path of a YAML file or from its content as a dict.

    Problems are found in three phases: the schema, names that do not exist, and rules that can
    never work. All problems of the first phase that finds any are reported.

    Raises:
        PlaybookError: the file cannot be read or the playbook has problems. Each line of the
            message names the file, line and key, and says what was expected.
    """
    if isinstance(source, Mapping):
        return _checked(dict(source), {}, "")
    return load_text(read_text(Path(source)), source)


def load_text(text: str, file: str | Path, desk: str = "") -> Playbook:
    """Read and check a playbook from its YAML; `file` is only named.

    Args:
        desk: the desk that it has to be of; "" for any.

    Raises:
        PlaybookError: as `load`.
    """
    content, lines = parse_yaml(text, Path(file))
    playbook = _checked(content, lines, str(file))
    if desk not in ("", playbook.desk):
        problem = ("desk",), f"this is the playbook of {playbook.desk}, not of {desk}"
        raise PlaybookError(report([problem], lines, str(file)))
    return playbook


def _checked(content: Any, lines: dict[Location, int], file: str) -> Playbook:
    try:
        playbook = Playbook.model_validate(content)
    except ValidationError as error:
        raise PlaybookError(report(schema_problems(error), lines, file)) from error
    for phase in (references.problems, checks.problems):
        problems: list[Problem] = list(phase(playbook))
        if problems:
            raise PlaybookError(report(problems, lines, file))
    return playbook


def read_yaml(path: Path) -> tuple[Any, dict[Location, int]]:
    """Read the content of a YAML file and the line of each of its keys.

    Raises:
        PlaybookError: it cannot be read; the message names the line.
    """
    return parse_yaml(read_text(path), path)


def read_text(path: Path) -> str:
    """Read a file.

    Raises:
        PlaybookError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(f"{path}: cannot be read: {error}") from error


def parse_yaml(text: str, path: Path) -> tuple[Any, dict[Location, int]]:
    """Parse the YAML of a file: its content, and the line of each of its keys."""
    try:
        _require_shallow(text, path)
        loader = _Loader(text)
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PlaybookError(f"{path}{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PlaybookError(f"{path}: not YAML: {error}") from error
    lines: dict[Location, int] = {}
    if node is not None:
        _number_lines(node, (), lines, path)
    return content, lines


def _require_shallow(text: str, path: Path) -> None:
    """Refuse a text whose nesting would exhaust the parser's stack, which ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise PlaybookError(f"{path}:{line}: more than {MAX_DEPTH} levels")


def _number_lines(
    node: yaml.Node, location: Location, lines: dict[Location, int], path: Path
) -> None:
    if len(location) > MAX_DEPTH or len(lines) > MAX_KEYS:
        return  # aliases within what they stand for, or of aliases
    lines.setdefault(location, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner, line = (*location, key.value), key.start_mark.line + 1
            if inner in lines:
                raise PlaybookError(
                    f"{path}:{line}: {'.'.join(map(str, inner))}: "
                    f"duplicate key, first on line {lines[inner]}"
                )
            lines[inner] = line
            _number_lines(value, inner, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _number_lines(value, (*location, index), lines, path)


class _Loader(_Parser):
    """A YAML loader without the surprises of YAML 1.1: `on`, `no`, 13:30 and dates are strings."""

    yaml_implicit_resolvers: dict[str, Any] = {}


class _Dumper(yaml.SafeDumper):
    """A YAML writer that quotes whatever this loader or a usual one would not read as a text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write several lines as lines."""
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?[0-9]+", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
):
    for _yaml in (_Loader, _Dumper):
        _yaml.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
        )


def dump_yaml(content: Any) -> str:
    """Write a document as people read it, so that `read_yaml` reads the same."""
    text: str = yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)
    return text
