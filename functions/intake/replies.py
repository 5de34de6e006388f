"""What is new in a mail that answers another one."""

from dataclasses import dataclass

from functions.intake.html_text import Line


@dataclass(frozen=True, slots=True)
class NewlyWritten:
    text: str
    cut: bool = False
    kept_all: bool = False


def newly_written(lines: list[Line]) -> NewlyWritten:
    return NewlyWritten("\n".join(line.text for line in lines))


def strip_reply(text: str) -> str:
    return text
