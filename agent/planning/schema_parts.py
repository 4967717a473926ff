"""The few forms of JSON Schema that plans are made of, and how long a text of a schema can get."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """What is defined under a name."""
    return {"$ref": f"#/$defs/{name}"}


def const(value: str | bool) -> Schema:
    """One value."""
    return {"const": value}


def one_of(values: Iterable[str | int]) -> Schema:
    """One of some values."""
    return {"enum": list(values)}


def list_of(items: Schema, most: int, least: int = 1) -> Schema:
    """A list of so many."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def object_of(parts: Mapping[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """An object of exactly these parts, in this order, of which some may be left out."""
    left_out = set(optional)
    required = [name for name in parts if name not in left_out]
    return {"type": "object", "properties": dict(parts), "required": required, "additionalProperties": False}


def longest(schema: Schema) -> int:
    """The most characters that a text of a schema has; a definition may refer to earlier ones only."""
    definitions: dict[str, int] = {}
    for name, part in schema.get("$defs", {}).items():
        definitions[name] = _longest(part, definitions)
    return _longest(schema, definitions)


def _longest(schema: Schema, definitions: Mapping[str, int]) -> int:
    if "$ref" in schema:
        return definitions[schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return max(_longest(option, definitions) for option in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        choices = schema.get("enum", [schema.get("const")])
        return max(len(json.dumps(choice)) for choice in choices)
    if schema["type"] == "array":
        return 1 + schema["maxItems"] * (_longest(schema["items"], definitions) + 1)
    pairs = [len(json.dumps(name)) + 1 + _longest(s, definitions) for name, s in schema["properties"].items()]
    return 1 + sum(pair + 1 for pair in pairs)
