"""JSON Schema to GBNF, the grammar language that llama.cpp samples under.

What comes out of the grammar always parses as JSON: names and constants are written as JSON text in their own
script. (The converter inside llama-cpp-python breaks on quotes in constants, whereupon llama.cpp prints the
rejected grammar to stderr; it lets raw line breaks into strings, and nests one bracket per character of
``maxLength``.) There is no free white space, so a model cannot run away in it.

Supported: object, array, string, integer, number, boolean, null, enum, const, anyOf, oneOf, lists of types
and ``$ref`` within the schema, recursive ones too. Bounds on lengths are enforced; of bounds on numbers only
a minimum of zero or more (as "no minus sign"): whoever sets others checks them. Any other keyword that
restricts is refused, not ignored.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from knowledge.errors import ModelError

MAX_REPEAT = 1000  # llama.cpp copies the repeated rule this often

# All characters of JSON strings but quote and backslash. Not written as "none of those", since that would let
# a model spell surrogates and code points beyond Unicode with single bytes.
_PLAIN = r"[\x20-\x21\x23-\x5B\x5D-\x7E\u00A0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]"
_CHAR = rf'{_PLAIN} | "\\" ["\\/bfnrt]'
_INTEGER = '("0" | [1-9] [0-9]{0,15})'
_DATE = r'[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'
_TIME = r'([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9]'
_FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": rf'{_DATE} "T" {_TIME} ("Z" | [+-] [0-9]{{2}} ":" [0-9]{{2}})?',
}
_SHARED = {
    "char": _CHAR,
    "any-string": r'"\"" char* "\""',
    "any-number": f'"-"? {_INTEGER} ("." [0-9]{{1,15}})? ([eE] [+-]? [0-9]{{1,3}})?',
    "any-object": '"{" (any-string ":" any ("," any-string ":" any)*)? "}"',
    "any-array": '"[" (any ("," any)*)? "]"',
    "any": 'any-object | any-array | any-string | any-number | "true" | "false" | "null"',
}
# Keywords that say something about a value without restricting it, or that the rules below read themselves.
_STATED = {"title", "description", "default", "examples", "deprecated", "strict", "discriminator"}
_READ = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "oneOf"}
_READ |= {"minItems", "maxItems", "minLength", "maxLength", "format", "$ref", "$defs", "definitions"}
_NUMERIC = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_KNOWN = _STATED | _READ | _NUMERIC | {"$schema", "$id"}


def literal(text: str) -> str:
    """``text`` as a GBNF literal."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'


def schema_grammar(schema: dict[str, Any]) -> str:
    """The GBNF grammar, with the rule ``root``, of a JSON Schema.

    Raises:
        ModelError: the schema asks for something that the grammar cannot hold.
    """
    return _grammar(_json(schema), "root")


def tool_grammar(schema: dict[str, Any], *, opening: str = "", closing: str = "", text: bool = False) -> str:
    """The GBNF grammar of tool calls.

    Args:
        schema: JSON Schema of one call.
        opening: what the model's template writes before each call; with it, up to eight calls may follow one
            another, a line each.
        closing: what it writes after each.
        text: whether an answer in words may come instead; it starts with neither ``{`` nor ``<``.

    Raises:
        ModelError: see ``schema_grammar``.
    """
    one = " ".join([literal(opening), "call", literal(closing)]) if opening else "call"
    several = f'{one} ("\\n" {one}){{0,7}}' if opening else one
    root = f"{several} | [^<{{] [^\\x00]*" if text else several
    return f"root ::= {root}\n{_grammar(_json(schema), 'call')}"


@lru_cache(maxsize=64)
def _grammar(schema: str, root: str) -> str:
    return _Writer(json.loads(schema), root).write()


class _Writer:
    """Collects the rules of one schema."""

    def __init__(self, schema: dict[str, Any], root: str) -> None:
        self._schema, self._root = schema, root
        self._rules: dict[str, str] = {}
        self._references: dict[str, str] = {}

    def write(self) -> str:
        self._rules[self._root] = self._value(self._schema)
        return "\n".join(f"{name} ::= {rule}" for name, rule in (self._rules | _SHARED).items())

    def _value(self, schema: Any) -> str:
        """The right-hand side for one schema."""
        if schema is True or schema == {}:
            return "any"
        if not isinstance(schema, dict):
            raise _refused(repr(schema))
        unknown = set(schema) - _KNOWN
        if unknown:
            raise _refused(", ".join(sorted(unknown)))
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        if "const" in schema:
            return literal(_json(schema["const"]))
        if "enum" in schema:
            return _either(literal(_json(value)) for value in schema["enum"])
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return _either(self._value(option) for option in schema[keyword])
        kind = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(kind, list):
            return _either(self._value({**schema, "type": one}) for one in kind)
        return self._typed(kind, schema)

    def _typed(self, kind: str | None, schema: dict[str, Any]) -> str:
        match kind:
            case "object":
                return self._object(schema) if "properties" in schema else self._map(schema)
            case "array":
                return self._array(schema)
            case "string":
                return self._string(schema)
            case "integer":
                return f"{_sign(schema)}{_INTEGER}"
            case "number":
                return f'{_sign(schema)}{_INTEGER} ("." [0-9]{{1,15}})?'
            case "boolean":
                return '("true" | "false")'
            case "null":
                return '"null"'
            case None:
                return "any"
        raise _refused(f"type {kind!r}")

    def _object(self, schema: dict[str, Any]) -> str:
        """Properties in their declared order; each optional one may be left out.

        ``rest(i)`` is a rule of its own for what may follow once something stands before property ``i``, so
        that commas come out right without listing every subset.
        """
        required = set(schema.get("required", ()))
        pairs = [
            (name, f"{literal(_json(name) + ':')} {self._rule(self._value(value))}")
            for name, value in schema["properties"].items()
        ]
        missing = required - {name for name, _ in pairs}
        if missing:
            raise _refused("required without a property")
        after = '"}"'  # what follows when something was written before
        first = '"}"'  # what follows when nothing was
        for name, pair in reversed(pairs):
            after_rule = self._rule(after)
            with_pair = f"{pair} {after_rule}"
            if name in required:
                first, after = with_pair, f'"," {with_pair}'
            else:
                first = f"({with_pair} | {self._rule(first)})"
                after = f'("," {with_pair} | {after_rule})'
        return f'"{{" {first}'

    def _map(self, schema: dict[str, Any]) -> str:
        values = schema.get("additionalProperties", True)
        if values is False:
            return '"{}"'
        item = self._rule(f'any-string ":" {self._rule(self._value(values))}')
        return f'"{{" ({item} ("," {item})*)? "}}"'

    def _array(self, schema: dict[str, Any]) -> str:
        item = self._rule(self._value(schema.get("items", True)))
        least, most = _bounds(schema, "minItems", "maxItems")
        if most == 0:
            return '"[]"'
        more = f'("," {item})' + _repeat(max(least - 1, 0), None if most is None else most - 1)
        filled = f"{item} {more}"
        return f'"[" {filled} "]"' if least else f'"[" ({filled})? "]"'

    def _string(self, schema: dict[str, Any]) -> str:
        if (name := schema.get("format")) is not None:
            if name not in _FORMATS:
                raise _refused(f"format {name!r}")
            return rf'"\"" {_FORMATS[name]} "\""'
        least, most = _bounds(schema, "minLength", "maxLength")
        return rf'"\"" char{_repeat(least, most)} "\""'

    def _reference(self, reference: str) -> str:
        if reference not in self._references:
            target: Any = self._schema
            try:
                if not reference.startswith("#"):
                    raise KeyError(reference)
                for step in reference.split("/")[1:]:
                    target = target[step.replace("~1", "/").replace("~0", "~")]
            except (KeyError, TypeError) as error:
                raise _refused(f"$ref {reference!r}") from error
            name = f"ref-{len(self._references)}-{re.sub(r'[^a-zA-Z0-9]+', '-', reference).strip('-')}"
            self._references[reference] = name  # before its content: it may refer to itself
            self._rules[name] = self._value(target)
        return self._references[reference]

    def _rule(self, content: str) -> str:
        """A name for ``content``; plain names and literals stay as they are."""
        if re.fullmatch(r'[a-zA-Z0-9-]+|"[^"\\]*"', content):
            return content
        name = f"r{len(self._rules)}"
        self._rules[name] = content
        return name


def _either(options: Iterable[str]) -> str:
    return "(" + " | ".join(options) + ")"


def _sign(schema: dict[str, Any]) -> str:
    return "" if schema.get("minimum", schema.get("exclusiveMinimum", -1)) >= 0 else '"-"? '


def _bounds(schema: dict[str, Any], low: str, high: str) -> tuple[int, int | None]:
    least, most = schema.get(low, 0), schema.get(high)
    if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
        raise _refused(f"{low} {least}, {high} {most} (at most {MAX_REPEAT})")
    return least, most


def _repeat(least: int, most: int | None) -> str:
    return f"{{{least},{'' if most is None else most}}}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refused(what: str) -> ModelError:
    return ModelError(
        f"The model cannot be held to this JSON Schema: {what} has no grammar. Leave it out, or use object, "
        "array, enum, const, anyOf, string with maxLength, integer, number, boolean and null."
    )
