"""Other programs import the classification from here (contract, section 4)."""

from functions.core.domain.rules import Playbook
from functions.router.classify import classify


def test_the_classification_has_what_other_programs_read(playbook: Playbook) -> None:
    found = classify("The app crashes", playbook)
    assert {"type", "tags", "priority", "vague", "confidence", "mood"} <= vars(found).keys()
