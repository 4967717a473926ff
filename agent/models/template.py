"""Renders the chat template that a model file carries.

The template is a program in Jinja that came with the file: it runs in Jinja's sandbox, without the operators
that could fill the memory, and its output is cut off at a limit. The messages are data: names of control
tokens in them are made inert, so that no note can end its turn and speak as the system.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from knowledge.errors import ModelError

_MAX_CHARACTERS = 4_000_000  # no context of today takes more
_MAX_FACTOR = 10_000
_INERT = "\u200b"  # zero width space


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which by itself allows ``9**9**9`` and ``"x" * 10**12``."""

    intercepted_binops = frozenset({"**", "*"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiply small numbers, or a short text a bounded number of times; nothing else."""
        if operator == "**" or not (_small(left) and _small(right)):
            raise SecurityError("the template multiplies without bound")
        return super().call_binop(context, operator, left, right)


def _small(value: Any) -> bool:
    if isinstance(value, int | float):
        return abs(value) <= _MAX_FACTOR
    return isinstance(value, str | list | tuple) and len(value) <= _MAX_FACTOR


class _GenerationTag(Extension):
    """``{% generation %}`` marks, for training, what the model wrote; here its content is just rendered."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own declaration

    def parse(self, parser: Parser) -> Node | list[Node]:
        """Keep the content of the block, drop its tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def render(
    source: str,
    messages: Sequence[dict[str, Any]],
    *,
    special: Iterable[str],
    tools: Sequence[dict[str, Any]] | None = None,
    **variables: Any,
) -> str:
    """The prompt for a conversation, ready for the model to go on.

    Args:
        source: the template.
        messages: ``role``, ``content`` and, where there are, ``tool_calls``.
        special: names of the model's control tokens (``LlamaWorker.special_texts``).
        tools: tools on offer, in the form of OpenAI's API, for templates that name them.
        variables: what else templates ask for: ``bos_token``, ``eos_token``, ``enable_thinking``.

    Raises:
        ModelError: the template is broken, forbidden or does not take this conversation.
    """
    inert = _inert_pattern(tuple(special))
    try:
        stream = _compiled(source).generate(
            messages=[_made_inert(message, inert) for message in messages],
            tools=[_made_inert(tool, inert) for tool in tools] if tools else None,
            add_generation_prompt=True,
            raise_exception=_refuse,
            strftime_now=lambda form: datetime.now().strftime(form),
            **variables,
        )
        pieces: list[str] = []
        length = 0
        for piece in stream:
            length += len(piece)
            if length > _MAX_CHARACTERS:
                raise ModelError("The model's chat template writes without end. Choose another model.")
            pieces.append(piece)
        return "".join(pieces)
    except _Refusal as error:
        raise ModelError("The model's chat template does not take this order of messages.") from error
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        raise ModelError(
            f"The model's chat template cannot be rendered ({type(error).__name__}). Choose another model."
        ) from None  # the cause may quote the conversation


class _Refusal(Exception):
    """The template called ``raise_exception``."""


def _refuse(_message: str) -> None:
    raise _Refusal


@lru_cache(maxsize=8)
def _compiled(source: str) -> Template:
    sandbox = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=[_GenerationTag, loopcontrols]
    )
    sandbox.filters["tojson"] = _to_json  # Jinja's own escapes for HTML, which models have not seen
    return sandbox.from_string(source)


def _to_json(value: Any, indent: int | None = None, **_ignored: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


@lru_cache(maxsize=8)
def _inert_pattern(special: tuple[str, ...]) -> re.Pattern[str] | None:
    """Matches names of control tokens. Names without brackets are words or white space and harm nobody."""
    names = sorted((name for name in special if len(name) > 1 and re.search(r"[<>\[\]|]", name)), key=len)
    return re.compile("|".join(re.escape(name) for name in reversed(names))) if names else None


def _made_inert(value: Any, pattern: re.Pattern[str] | None) -> Any:
    """A copy in which a zero width space breaks every name of a control token."""
    if pattern is None:
        return value
    if isinstance(value, str):
        return pattern.sub(lambda match: match[0][0] + _INERT + match[0][1:], value)
    if isinstance(value, dict):
        return {key: _made_inert(one, pattern) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_made_inert(one, pattern) for one in value]
    return value
