"""What a handler's import has to leave alone, so that a container starts fast."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from infra.bench.import_time import HANDLERS
from infra.deploy.steps import ROOT

pytestmark = pytest.mark.requirement("G7")
FOR_SOME_CALLS = frozenset(
    {
        "cryptography",
        "holidays",
        "jinja2",
        "phonenumbers",
        "rich",
        "stdnum",
        "typer",
        "yaml",
    }
)
"""What only some calls need, and no import of a handler."""

_CHECK = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
from pydantic import BaseModel
def below(model):
    for child in model.__subclasses__():
        yield child
        yield from below(child)
built = [model.__qualname__ for model in below(BaseModel)
         if model.__module__.startswith("functions.") and model.__pydantic_complete__]
print(json.dumps({"modules": list(sys.modules), "built": built}))
"""


@pytest.mark.requirement("G7")
@pytest.mark.parametrize("module", HANDLERS)
def test_an_import_does_no_work_of_a_call(module: str) -> None:
    """No library that only some calls need, no schema built before something is read."""
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, module], cwd=ROOT, capture_output=True, check=True
    )
    found = json.loads(done.stdout)
    assert FOR_SOME_CALLS & set(found["modules"]) == set()
    assert found["built"] == []
