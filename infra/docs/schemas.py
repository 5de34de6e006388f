"""The JSON schemas of the API's description, from models and shapes."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import StringSchema

from functions.core.text import shapes as common

Schema = dict[str, Any]

REF = "#/components/schemas/{model}"


class _Generator(GenerateJsonSchema):
    """Says that a text without its surrounding space may be too short: space alone is refused."""

    def str_schema(self, schema: StringSchema) -> Schema:
        described = super().str_schema(schema)
        strips = schema.get("strip_whitespace") or self._config.str_strip_whitespace
        if self.mode == "validation" and strips and schema.get("min_length"):
            described.setdefault("pattern", r"[^\s\u0085]")
        return described


class Schemas:
    """The JSON schemas of shapes, collected as components."""

    def __init__(self) -> None:
        self.components: Schema = {}
        self.of((common.Problem,), "serialization")

    def of(self, shapes: Sequence[Any], mode: Any) -> Schema:
        """Return the schema of any of these shapes, or of the text of a media type."""
        if isinstance(shapes[0], str):
            return {}
        inputs = [(shape, mode, TypeAdapter(shape)) for shape in shapes]
        schemas, generated = TypeAdapter.json_schemas(
            inputs, ref_template=REF, schema_generator=_Generator
        )
        self.components |= _untitled(generated.get("$defs", {}))
        found = [_untitled(schemas[shape, mode]) for shape in shapes]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def used(self, part: Any) -> Schema:
        """Return the components that a part of the description refers to."""
        names: set[str] = set()
        waiting = [part]
        while waiting:
            text = json.dumps(waiting.pop())
            new = set(re.findall(REF.format(model='([^"]+)'), text)) - names
            names |= new
            waiting += [self.components[name] for name in new]
        return {name: self.components[name] for name in sorted(names)}


def _untitled(schema: Any) -> Any:
    """Leave out pydantic's titles, which repeat the names, and what docstrings say to us only."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: part for key, part in schema.items() if key != "title" or isinstance(part, dict)}
    if isinstance(kept.get("description"), str):
        kept["description"] = for_readers(kept["description"])
    return {key: _untitled(part) for key, part in kept.items()}


def document_shapes(module: ModuleType) -> None:
    """Give the shapes of a module that have no class body the text below them as docstring."""
    body = ast.parse(inspect.getsource(module)).body
    for shape, text in pairwise(body):
        if isinstance(shape, ast.Assign) and isinstance(text, ast.Expr):
            name = ast.unparse(shape.targets[0])
            if isinstance(getattr(module, name), type):
                getattr(module, name).__doc__ = ast.literal_eval(text.value)


def for_readers(docstring: str) -> str:
    """Leave out line breaks and the requirement ids of our catalogue."""
    text = re.sub(r"\s+", " ", docstring)
    return re.sub(r" \((?:[A-H]\d+(?:[–, ]+)?)+\)", "", text)
