"""Read a message after a resolution before it acts: a score, thanks, or a problem (A13, D13, E7).

Pure and linear in the length of the text. Only a message of which every word is known needs no
answer; whatever is not understood is left to the handler, so no complaint is taken for thanks.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from functions.core.domain.matching import fold
from functions.core.domain.playbook_endings import Endings
from functions.core.domain.rules import Playbook

EndingKind = Literal["score", "solved", "thanks", "unsolved", "other", "unclear"]


@dataclass(frozen=True)
class Ending:
    """The meaning of a message after a resolution.

    - `score`: it scores the resolution with `score`; `bare` if it has no more to say. `solved`:
      it also says whether the problem is solved.
    - `solved`, `thanks`: it needs no answer.
    - `unsolved`: the problem is still there; `bare` as above.
    - `other`: it asks for something else, or complains.
    - `unclear`: the handler has to read it; `later` if it only announces an answer.
    """

    kind: EndingKind
    score: int | None = None
    bare: bool = False
    solved: bool | None = None
    later: bool = False

    @property
    def needs_no_answer(self) -> bool:
        """Return whether a message about an ended ticket is no new request."""
        return self.kind in {"solved", "thanks"}

    @property
    def answers_nothing(self) -> bool:
        """Return whether a message to a ticket that waits for the customer leaves it waiting."""
        return self.kind == "thanks" or self.later


_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_DIGITS |= {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_SCORE = re.compile(
    r"(?<![\d./:点时-])(?<![\d一二三四五][~到至])(?P<number>\d{1,3}|[零一二两三四五六七八九]"
    r"|\b(?:one|two|three|four|five)\b) ?(?:分(?![钟之期开别店公手析类内享钱])|颗?星(?!期)"
    r"|stars?\b|points?\b|⭐|(?:/|out of) ?(?P<of>\d{1,3}))"
    r"|(?:评分|打分|评价|rating|score|give (?:it|you|them) an?|打|给) ?:? ?"
    r"(?P<named>\d{1,3})(?![\w.:/])"
    r"|(?P<full>满分)|(?P<stars>[⭐★]{2,})"
)
_QUOTES = frozenset('“”"「」『』')
_CATEGORIES = ("fillers", "thanks", "solved", "times", "later", "more", "unsolved", "symptoms")
_NAME = re.compile(r"(?:[小老]\w|\w师傅)(?=[很真挺]|非常|特别|态度|服务|耐心|专业|热情)")
_DENIAL = re.compile(r"(?:[没无不非未勿]|没有|\bnot|\bno|n't) ?$")
_BARE_NUMBER = re.compile(r"[\s.,!。、~]*(\d{1,3})[\s.,!。、~]*")


def read_ending(text: str, playbook: Playbook) -> Ending:
    """Read a message that the customer writes after a resolution. Never raises."""
    survey, scores, said = playbook.survey, set[int](), set[str]()
    loose = denied = False
    low, high = survey.scores
    folded = fold(text)

    def take_score(match: re.Match[str], value: int) -> str:
        nonlocal loose
        scores.add(value)
        following = match.string[match.end() : match.end() + 1]
        loose |= _is_word(following) and following not in "吧啊呀哦的"
        return " "

    rest = _SCORE.sub(lambda match: take_score(match, _value(match, high)), folded)
    words = {
        fold(name): word.score
        for key, word in survey.words.items()
        for name in (key, *word.label.values())
    }

    def take_word(match: re.Match[str]) -> str:
        nonlocal denied
        if match[0] in words:
            denied |= _DENIAL.search(match.string, 0, match.start()) is not None
            take_score(match, words[match[0]])
        else:
            said.add(_categories(playbook.endings)[match[0]])
        return " "

    rest = _pattern(playbook.endings, tuple(words)).sub(take_word, _NAME.sub(" ", rest))
    left = "".join(filter(_is_word, rest))
    number = None if scores else _BARE_NUMBER.fullmatch(rest)
    if number:
        scores, left = {int(number[1])}, ""
    question = "?" in folded
    problem = not said.isdisjoint({"unsolved", "symptoms"})
    understood = not (left or question or said & {"later", "times"})
    score = next(iter(scores)) if len(scores) == 1 and not denied else None
    if score is not None and low <= score <= high:
        bare = understood and not problem and "more" not in said
        comments = left or problem or "more" in said or "later" in said
        if bare or (comments and not loose and score < survey.review.below):
            solved = None if question or not (problem or "solved" in said) else not problem
            return Ending("score", score, bare=bare, solved=solved)
    if problem:
        return Ending("unsolved", bare=not left and not said & {"more", "symptoms"})
    if "more" in said or (question and left):
        return Ending("other")
    if scores or not understood:
        later = "later" in said and not (left or scores or question)
        return Ending("unclear", later=later)
    return Ending("solved" if "solved" in said else "thanks" if "thanks" in said else "unclear")


def _value(match: re.Match[str], high: int) -> int:
    """Return the score that a match of `_SCORE` names; -1 on another scale than the desk's."""
    if match["full"]:
        return high
    if match["stars"]:
        return len(match["stars"])
    if match["of"] and int(match["of"]) != high:
        return -1
    number = match["number"] or match["named"]
    return _DIGITS[number] if number in _DIGITS else int(number)


def _is_word(char: str) -> bool:
    """Return whether a character says something: a letter, a digit, a picture or a quote."""
    return char.isalnum() or char in _QUOTES or unicodedata.category(char or " ") == "So"


@lru_cache(maxsize=32)
def _categories(endings: Endings) -> dict[str, str]:
    """Return the category of each word; the later one if a word is in two lists."""
    return {fold(word): category for category in _CATEGORIES for word in getattr(endings, category)}


@lru_cache(maxsize=32)
def _pattern(endings: Endings, scores: tuple[str, ...]) -> re.Pattern[str]:
    words = sorted({*_categories(endings), *scores}, key=len, reverse=True)
    return re.compile("|".join(map(_whole, words)))


def _whole(word: str) -> str:
    before = r"(?<![a-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?![a-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return f"{before}{re.escape(word)}{after}"
