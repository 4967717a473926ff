"""Text under a schema's grammar always is JSON of that schema, whatever the model."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agent.models.gguf import read, sha256_of
from agent.models.grammar import schema_grammar
from agent.models.job import Request
from agent.models.sampling import Sampling
from agent.models.worker import LlamaWorker
from knowledge.errors import ModelError

SCHEMAS: dict[str, dict[str, Any]] = {
    "plan": {
        "type": "object",
        "properties": {
            "tool": {"enum": ["query_records", "search_notes"]},
            "text": {"type": "string", "maxLength": 12},
            "k": {"type": "integer", "minimum": 0},
            "exact": {"type": "boolean"},
        },
        "required": ["tool", "text", "exact"],
    },
    "constants in any script, with quotes, backslashes and line breaks": {
        "type": "object",
        "properties": {"v": {"enum": ['肌"酐"', "a\\b", "line\nbreak", 1.5, None, True]}},
        "required": ["v"],
    },
    "only optional properties": {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in ("a", "b", "c", "d")},
    },
    "bounded arrays": {
        "type": "array",
        "items": {"type": "string", "minLength": 1, "maxLength": 3},
        "minItems": 2,
        "maxItems": 4,
    },
    "choices": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"at": {"type": "string", "format": "date"}},
                "required": ["at"],
            },
            {"type": ["integer", "null"]},
            {"const": {"x": [1, "二"]}},
        ]
    },
    "references, a recursive one among them": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"enum": ["and", "or"]},
                    "parts": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 1},
                },
                "required": ["name"],
            }
        },
        "$ref": "#/$defs/node",
    },
    "a number": {"type": "number"},
    "a map": {"type": "object", "additionalProperties": False},
}


@pytest.fixture(scope="module")
def worker(tiny_gguf: Path) -> Iterator[LlamaWorker]:
    with LlamaWorker(replace(read(tiny_gguf), sha256=sha256_of(tiny_gguf)), threads=1) as worker:
        yield worker


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_written_parses_and_follows_the_schema(worker: LlamaWorker, name: str) -> None:
    grammar, whole = schema_grammar(SCHEMAS[name]), 0
    for seed in range(8):
        completion = worker.complete(
            Request("go", 480, Sampling(temperature=1.5, seed=seed), grammar=grammar)
        )
        if completion.finish_reason == "length" and "recursive" in name:
            continue  # nothing but the limit ends a recursion that random weights keep choosing
        assert completion.finish_reason == "stop"
        value = json.loads(completion.text)
        jsonschema.validate(value, SCHEMAS[name], format_checker=jsonschema.FormatChecker())
        whole += 1
    assert whole


def test_a_constant_keeps_its_script(worker: LlamaWorker) -> None:
    text = worker.complete(Request("go", grammar=schema_grammar({"const": "肌酐"}))).text
    assert text == '"肌酐"'


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^a$"},
        {"type": "string", "format": "email"},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#/$defs/missing"},
        {"type": "string", "maxLength": 100_000},
        {"allOf": [{"type": "string"}]},
        {"type": "object", "properties": {}, "required": ["absent"]},
    ],
    ids=str,
)
def test_what_a_grammar_cannot_hold_is_refused_not_ignored(schema: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="has no grammar"):
        schema_grammar(schema)
