"""The marks that say, on each field, what its text may tell about the customer (G4, B10).

The declaration alone decides what happens to it:

============== ========================================= ======= ======== =============
mark           holds                                     masked  original erased
============== ========================================= ======= ======== =============
`FREE_TEXT`    what people write                         yes     sealed   yes
`PERSONAL`     another value that identifies somebody    no               yes
`STEP_FIELDS`  the fields of a desk's step: each as its kind declares (`STEP_FIELD_HOLDS`)
`COUNTED`      a number or list in a step, for reports   yes              if masked
`TERM`         a term of the playbook, a username, a     no               no
               number or code of ours
============== ========================================= ======= ======== =============

Numbers, times and fixed choices (`Literal`) are structural and carry no mark; a nested class
declares its own fields. A text without a mark counts as personal, and a test names it.
"""

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)
Rewrite = Callable[[str, str], str]
"""Returns the new text of a field; it gets the field's path (`product.serial`) and its text."""


class Holds(Enum):
    """The marks; the module's docstring explains them."""

    FREE_TEXT = "free text"
    PERSONAL = "personal"
    STEP_FIELDS = "step fields"
    COUNTED = "counted"
    TERM = "term"


FREE_TEXT, PERSONAL, STEP_FIELDS, COUNTED, TERM = Holds

FreeText = Annotated[str, FREE_TEXT]
PersonalText = Annotated[str, PERSONAL]
StepFields = Annotated[dict[str, str], STEP_FIELDS]
TermName = Annotated[str, TERM]


@lru_cache(maxsize=256)
def declared(kind: type[BaseModel]) -> dict[str, Holds]:
    """Return the marks of a class's fields; a text without one counts as personal."""
    found = {}
    for name, field in kind.model_fields.items():
        marks = {mark for mark in field.metadata if isinstance(mark, Holds)}
        marks = marks or marks_of(field.annotation)
        if marks or holds_plain_text(field.annotation):
            # The keys of a dict are terms; what its values hold counts.
            found[name] = next(iter(marks - {TERM} or marks), PERSONAL)
    return found


def erased_fields(kind: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, mark in declared(kind).items() if mark is not TERM)


def blanks(value: BaseModel) -> dict[str, Any]:
    """Return the values that replace the personal ones in an object and in those within it."""
    marks = declared(type(value))
    update: dict[str, Any] = {}
    for name, field in type(value).model_fields.items():
        held = getattr(value, name)
        if name in marks:
            if marks[name] is not TERM:
                update[name] = "" if field.is_required() else field.get_default()
        elif isinstance(held, BaseModel):
            update[name] = held.model_copy(update=blanks(held))
        elif isinstance(held, tuple) and held and isinstance(held[0], BaseModel):
            update[name] = tuple(each.model_copy(update=blanks(each)) for each in held)
    return update


def rewritten(value: Model, rewrite: Rewrite, path: str = "") -> Model:
    """Return the object with every free text rewritten, also in the objects within it.

    The fields of a step are among them, whatever their kind; their paths begin with `fields.`.
    """
    marks = declared(type(value))
    update: dict[str, Any] = {}
    for name, held in value:
        at = f"{path}{name}"
        if isinstance(held, str) and marks.get(name) is FREE_TEXT:
            update[name] = rewrite(at, held)
        elif isinstance(held, dict) and marks.get(name) in (STEP_FIELDS, FREE_TEXT):
            update[name] = {key: rewrite(f"{at}.{key}", text) for key, text in held.items()}
        elif isinstance(held, BaseModel):
            update[name] = rewritten(held, rewrite, f"{at}.")
        elif isinstance(held, tuple) and held and isinstance(held[0], BaseModel):
            update[name] = tuple(
                rewritten(each, rewrite, f"{at}.{i}.") for i, each in enumerate(held)
            )
    return value.model_copy(update=update) if update else value


def free_texts(value: BaseModel) -> dict[str, str]:
    """Return the free texts of an object by path."""
    found: dict[str, str] = {}

    def note(path: str, text: str) -> str:
        found[path] = text
        return text

    rewritten(value, note)
    return found


def marks_of(annotation: Any) -> set[Holds]:
    arguments = get_args(annotation)
    marks = {argument for argument in arguments if isinstance(argument, Holds)}
    return marks.union(*(marks_of(argument) for argument in arguments))


def holds_plain_text(annotation: Any) -> bool:
    """Return whether an unmarked `str` is part of an annotation; keys of a dict are terms."""
    if annotation is str:
        return True
    arguments = get_args(annotation)
    if any(isinstance(argument, Holds) for argument in arguments):
        return False
    values = arguments[1:] if get_origin(annotation) is dict else arguments
    return any(holds_plain_text(argument) for argument in values)
