"""Score the mail parser and the masking on public collections, and measure the parser's speed.

The collections are not part of this repository; `DESKBELL_CORPORA` names their folder.
`python -m infra.bench.corpus [folder]` (`make corpus`) prints the table; `make bench` includes it.
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

from functions.core.mail import html, parse, strip_reply
from functions.core.mail.replies import newly_written
from infra.bench.corpus_channels import WITHOUT_ADAPTER
from infra.bench.corpus_events import CASES as EVENTS

Score = tuple[int, int]
"""(correct, total)"""


def scores(folder: str | Path, *names: str) -> dict[str, Score]:
    """The scores of the mail collections in `folder` (which holds `mail/`), or of the named ones.

    Missing collections are left out.
    """
    mail = Path(folder) / "mail"
    return {
        name: _judge(cases)(mail / name)
        for name, cases in _CASES.items()
        if (mail / name).is_dir() and (not names or name in names)
    }


def wrong(folder: str | Path, name: str) -> list[str]:
    path = Path(folder) / "mail" / name
    return [case for case, right in _CASES[name](path) if not right]


def speed(folder: str | Path) -> dict[str, float]:
    """Mails per second in the same run: `deskbell` by `parse`, `email` by Python's `email` package,
    which only decodes every part."""
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


# --- one scoring function per collection ----------------------------------------------------

Cases = Iterator[tuple[str, bool]]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with (path / "cases.jsonl").open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _fold(text: str) -> str:
    return " ".join(text.split())


def _crisp(path: Path) -> Cases:
    """Compare the reply with the expected one, ignoring white space."""
    for case in _lines(path):
        if case["input"] and case["expected_reply"] is not None:
            reply = strip_reply(_text(path / case["input"]))
            yield case["id"], _fold(reply) == _fold(case["expected_reply"])


def _crisp_patterns(path: Path) -> Cases:
    """Check that the reply contains what it must and nothing that it must not."""
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
    """Compare the reply with the text above the quotation; without one, the whole text must stay.

    Device lines count as signatures.
    """
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
            html.TextLine(line) for line in source.split("\n")
        ]  # fmt: skip
        above = strip_reply(html.to_text(above) if markup else above)
        reply = newly_written(lines)
        wanted = _fold(above) or _fold("\n".join(line.text for line in lines))
        yield case["id"], _fold(reply.text) == wanted


def _mail_parser_reply(path: Path) -> Cases:
    """Check that some text remains without the introduction of a quotation."""
    for file in sorted(path.rglob("*.txt")):
        if "emails" in file.parts:
            text = _text(file)
            reply = strip_reply(text)
            clean = not re.search(r"^>|<\S+@\S+> ?(wrote|schrieb|skrev)", reply, re.MULTILINE)
            yield file.name, bool(reply) and (clean or _fold(reply) == _fold(text))


def _chatwoot(path: Path) -> Cases:
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
    """The cases of `crisp_reply_parser` that give patterns instead of a whole reply."""
    return _judge(_crisp_patterns)(Path(folder) / "mail" / "crisp_reply_parser")


_HIDDEN = frozenset({"PHONE", "EMAIL", "CREDIT_CARD", "IBAN"})
"""The kinds that `mask` hides; it must not change any others."""


def pii(folder: str | Path) -> dict[str, Score]:
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
    folder = arguments[0] if arguments else os.environ.get("DESKBELL_CORPORA", "")
    if not folder or not Path(folder, "mail").is_dir():
        sys.stderr.write(f"{MISSING}\n")
        return 2 if folder else 0
    for name, (right, count) in everything(folder).items():
        share = 100 * right / max(1, count)
        sys.stdout.write(f"{name:<34}{right:>5} of {count:<5}{share:6.1f} %\n")
    for name, channel in WITHOUT_ADAPTER.items():
        if Path(folder, "events", name).is_dir():
            sys.stdout.write(f"{f'events/{name}':<34}skipped: there is no adapter {channel}\n")
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
