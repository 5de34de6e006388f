"""How much of the public collections is read right, folder by folder, and how fast.

The collections are not part of this repository; their folder is named by ``DESKBELL_CORPORA``.
``python -m infra.bench.corpus [folder]`` (``make corpus``) prints the table, and ``make bench``
takes it over; ``everything`` and ``speed`` give the numbers.
"""

import email
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from functions.intake.mail import html
from functions.intake.mail.parser import parse, strip_reply
from functions.intake.mail.replies import newly_written
from infra.bench.corpus_events import CASES as EVENTS

Score = tuple[int, int]
"""(right, of all)"""


def scores(folder: str | Path, *names: str) -> dict[str, Score]:
    """The share that is right of each mail collection in ``folder`` (the one that holds
    ``mail/``), or of the named ones; collections that are not there are left out."""
    mail = Path(folder) / "mail"
    return {
        name: _judge(cases)(mail / name)
        for name, cases in _CASES.items()
        if (mail / name).is_dir() and (not names or name in names)
    }


def wrong(folder: str | Path, name: str) -> list[str]:
    """The ids of the cases of one collection that are not read right."""
    path = Path(folder) / "mail" / name
    return [case for case, right in _CASES[name](path) if not right]


def speed(folder: str | Path) -> dict[str, float]:
    """Mails a second over all raw mails there: read by ``parse`` (``deskbell``), and by Python's
    ``email`` with every part decoded and nothing else done (``email``), in the same run."""
    raws = [path.read_bytes() for path in sorted(Path(folder).glob("mail/**/*.eml"))]
    if not raws:
        return {}
    for raw in raws[:20]:
        parse(raw)
    return {"deskbell": _rate(parse, raws), "email": _rate(_by_email, raws)}


def _rate(read: Callable[[bytes], object], raws: list[bytes]) -> float:
    began = time.perf_counter()
    for raw in raws:
        read(raw)
    return len(raws) / (time.perf_counter() - began)


def _by_email(raw: bytes) -> None:
    for part in email.message_from_bytes(raw).walk():
        if not part.is_multipart():
            part.get_payload(decode=True)


# --- one judge a collection -----------------------------------------------------------------

Cases = Iterator[tuple[str, bool]]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with (path / "cases.jsonl").open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _fold(text: str) -> str:
    return " ".join(text.split())


def _crisp(path: Path) -> Cases:
    """The reply, white space folded, is the expected one."""
    for case in _lines(path):
        if case["input"] and case["expected_reply"] is not None:
            reply = strip_reply(_text(path / case["input"]))
            yield case["id"], _fold(reply) == _fold(case["expected_reply"])


def _crisp_patterns(path: Path) -> Cases:
    """The reply has what it must have, and nothing that it must not."""
    for case in _lines(path):
        must, must_not = case["reply_must_match_regex"], case["reply_must_not_match_regex"]
        if case["input"] and (must or must_not):
            reply = strip_reply(_text(path / case["input"]))
            yield (
                case["id"],
                all(re.search(p.replace("\\/", "/"), reply) for p in must)
                and not any(re.search(p.replace("\\/", "/"), reply) for p in must_not),
            )


def _github(path: Path) -> Cases:
    for case in _lines(path):
        text, expected = _text(path / case["input"]), case["expected"]
        began = time.monotonic()
        reply = strip_reply(text)
        took = time.monotonic() - began
        yield case["id"], _github_right(case["check"], text, reply, expected, took)


def _github_right(check: str, text: str, reply: str, expected: Any, took: float) -> bool:
    match check:
        case "eq":
            return _fold(reply) == _fold(expected)
        case "first_fragment_eq" | "reply_starts":
            return _fold(reply).startswith(_fold(expected))
        case "contains":
            return str(expected) in reply
        case "reply_contains_not":
            return str(expected) not in reply
        case "signature_starts":
            return str(expected).strip() not in reply
        case "fragments":
            return bool(expected != 1) or _fold(reply) == _fold(text)
        case "max_seconds":
            return took <= float(expected)
    return False


def _quotequail(path: Path) -> Cases:
    """Where a case says what is above the quotation: that is what is newly written. A case with
    nothing above it keeps its text whole; a device line counts as signature."""
    for case in _lines(path):
        expected, function = case["expected"], case["function"]
        if function in {"quote", "quote_html"} and case["kwargs"].get("quote_intro_line"):
            above = "".join(text for is_new, text in expected if is_new)
        elif function in {"unwrap", "unwrap_html"} and expected:
            above = expected.get("text_top") or expected.get("html_top") or ""
        else:
            continue
        markup = function.endswith("html")
        source = case["args"][0]
        lines = html.lines(source) if markup else [
            html.Line(line) for line in source.split("\n")
        ]  # fmt: skip
        above = strip_reply(html.to_text(above) if markup else above)
        reply = newly_written(lines)
        wanted = _fold(above) or _fold("\n".join(line.text for line in lines))
        yield case["id"], _fold(reply.text) == wanted


def _mail_parser_reply(path: Path) -> Cases:
    """Nothing fails, something remains, and no introduction of a quotation does."""
    for file in sorted(path.rglob("*.txt")):
        if "emails" in file.parts:
            text = _text(file)
            reply = strip_reply(text)
            clean = not re.search(r"^>|<\S+@\S+> ?(wrote|schrieb|skrev)", reply, re.MULTILINE)
            yield file.name, bool(reply) and (clean or _fold(reply) == _fold(text))


def _chatwoot(path: Path) -> Cases:
    """Nothing fails; sender, recipient or subject, and text or files are there."""
    for file in sorted(path.rglob("*.eml")):
        mail = parse(file.read_bytes())
        yield (
            file.name,
            (
                "parse:failed" not in mail.defects
                and bool(mail.from_address or mail.origin == "bounce")
                and bool(mail.subject or mail.to)
                and bool(mail.text or mail.attachments)
            ),
        )


def _bounces(path: Path) -> Cases:
    for case in _lines(path):
        yield case["id"], parse((path / case["input"]).read_bytes()).origin == case["label"]


_CASES: dict[str, Callable[[Path], Cases]] = {
    "crisp_reply_parser": _crisp,
    "github_reply_parser": _github,
    "quotequail": _quotequail,
    "mail_parser_reply": _mail_parser_reply,
    "chatwoot_mail": _chatwoot,
    "bounces": _bounces,
}


def _judge(cases: Callable[[Path], Cases]) -> Callable[[Path], Score]:
    def judge(path: Path) -> Score:
        results = [right for _, right in cases(path)]
        return sum(results), len(results)

    return judge


def patterns(folder: str | Path) -> Score:
    """Of ``crisp_reply_parser``, the cases that give patterns instead of a whole reply."""
    return _judge(_crisp_patterns)(Path(folder) / "mail" / "crisp_reply_parser")


_HIDDEN = frozenset({"PHONE", "EMAIL", "CREDIT_CARD", "IBAN"})
"""Kinds that ``mask`` hides (contract, section 4); of the others nothing is to be touched."""


def pii(folder: str | Path) -> dict[str, Score]:
    """Of ``pii_patterns``: the spans that are hidden, and the texts without one that stay whole."""
    from functions.core.text.masking import mask

    path = Path(folder) / "pii" / "pii_patterns" / "presidio_patterns.jsonl"
    if not path.is_file():
        return {}
    cases = [json.loads(line) for line in _text(path).splitlines() if line.strip()]
    hidden, whole = [], []
    for case in cases:
        shown = mask(case["text"])
        spans = [span["value"] for span in case["spans"] if span["type"] in _HIDDEN]
        hidden += [span not in shown for span in spans]
        if not spans:
            whole.append(shown == case["text"])
    return {
        "pii_patterns, hidden": (sum(hidden), len(hidden)),
        "pii_patterns, left alone": (sum(whole), len(whole)),
    }


def everything(folder: str | Path) -> dict[str, Score]:
    """The share that is right of each collection of ``mail/``, ``events/`` and ``pii/`` that is
    there, under the name of its folder."""
    events = Path(folder) / "events"
    return {
        **{f"mail/{name}": score for name, score in scores(folder).items()},
        **{
            f"events/{name}": _judge(cases)(events / name)
            for name, cases in EVENTS.items()
            if (events / name).is_dir()
        },
        **{f"pii/{name}": score for name, score in pii(folder).items()},
    }


def main(arguments: list[str]) -> int:
    """Prints the table; without a folder one line that says so, and 2 where one was named."""
    folder = arguments[0] if arguments else os.environ.get("DESKBELL_CORPORA", "")
    if not folder or not Path(folder, "mail").is_dir():
        sys.stderr.write(f"{MISSING}\n")
        return 2 if folder else 0
    for name, (right, count) in everything(folder).items():
        share = 100 * right / max(1, count)
        sys.stdout.write(f"{name:<34}{right:>5} of {count:<5}{share:6.1f} %\n")
    rates = speed(folder)
    if rates:
        ratio = rates["deskbell"] / rates["email"]
        sys.stdout.write(f"{rates['deskbell']:.0f} mails a second, {ratio:.2f} of Python's email\n")
    return 0


MISSING = (
    "skipped: the collections are not there; name the folder that holds mail/, events/ and pii/, "
    "or set DESKBELL_CORPORA"
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
