"""Tables of examples that are data: YAML files beside the tests that read them."""

from pathlib import Path
from typing import Any

import yaml


def examples(test_module: str) -> dict[str, Any]:
    """Return the tables in the YAML file with the name of a test module (`__file__`)."""
    text = Path(test_module).with_suffix(".yaml").read_text("utf-8")
    tables: dict[str, Any] = yaml.safe_load(text)
    return tables
