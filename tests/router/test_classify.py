"""Other programs import the classification from here (contract, section 4)."""

from functions.core.playbook import load
from functions.router.classify import classify
from tests.core.sample_desk import DESK


def test_the_classification_has_what_other_programs_read() -> None:
    found = classify("The app crashes", load(DESK))
    assert {"type", "tags", "priority", "vague", "confidence", "mood"} <= vars(found).keys()
