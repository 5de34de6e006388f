"""The texts of the workbench's pages in each language (`docs/voice.md`)."""

from functions.core.text.tables import Texts, read_table

_TABLES = (
    "workbench", "audit", "board", "call", "composer", "erasure", "figure", "knowledge", "playbook",
    "quarantine", "queue", "roster", "ticket",
)  # fmt: skip

TEXTS: Texts = {key: said for name in _TABLES for key, said in read_table(name).items()}

SCRIPT_TEXTS: tuple[str, ...] = tuple(key for key in TEXTS if key.startswith("script."))
"""The texts that scripts show (`deskbell.t`), those of the parts of a page too."""
