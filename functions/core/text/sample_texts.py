"""Texts of the sample tickets that show a playbook's messages: pairs of Chinese and English."""

from functions.core.text.tables import read_table

Pair = tuple[str, str]
_SAMPLES = read_table("samples")


def _pairs(begin: str) -> dict[str, Pair]:
    """Return the pairs whose keys begin so, by the rest of their keys."""
    return {
        key.removeprefix(begin): (said["zh-CN"], said["en"])
        for key, said in _SAMPLES.items()
        if key.startswith(begin)
    }


REQUESTS = tuple(_pairs("request.").values())
LATER = tuple(_pairs("later.").values())
FIELDS = _pairs("field.")
"""Field of a step → its sample value; another field gets its own label."""

REPLY = _pairs("reply")[""]
QUESTION = _pairs("question")[""]
ANSWER = _pairs("answer")[""]
SUMMARY = _pairs("summary")[""]
VAGUE = _pairs("vague")[""]
UNSOLVED = _pairs("unsolved")[""]
CLOSED = _pairs("closed")[""]
REFUSED = _pairs("refused")[""]
CAUSE = _pairs("cause")[""]

ENGLISH = dict(_pairs("").values())
