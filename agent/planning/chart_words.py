"""The words of a question that ask for a chart, and the mark they name, read from ``chart_words.yaml``.

"Chart" is also the patient's record ("in her chart"), and 图 is the end of 心电图 (ECG): what means those is
told apart here. What the chart is of stays in the question for the planner.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from agent.answer import Language
from agent.charts.mark import Mark
from agent.planning.times import half_width

_REST = re.compile(r"\s*(?:needed|required|necessary|please|pls|了|吧)?\s*[-–—,，;；:：.。]*")
Found = tuple[int, int, Mark | None]
"""Start, end and mark of a match."""


@dataclass(frozen=True, slots=True)
class ChartWords:
    """A request for a chart.

    Attributes:
        spans: (start, end) of the words in the question, in order, without overlaps.
        mark: the mark that they name, or ``None`` where any chart will do.
    """

    spans: tuple[tuple[int, int], ...]
    mark: Mark | None

    def blanked(self, text: str) -> str:
        """The question with blanks in the place of these words, so that offsets into it still hold."""
        characters = list(text)
        for start, end in self.spans:
            characters[start:end] = " " * (end - start)
        return "".join(characters)


def find_chart(text: str, language: Language) -> ChartWords | None:
    """The request for a chart in a question, or ``None`` where it asks for none.

    Args:
        text: the question as cleaned; the spans are into it.
        language: of the question; a Chinese one may ask in English words.
    """
    if declined(text, language):
        return None
    low, read = half_width(text), _of(language)
    record = [match.span() for words in read for pattern in words.record for match in pattern.finditer(low)]
    found: list[Found] = [
        (start, end, mark)
        for words in read
        for start, end, mark in _matches(words.words, low)
        if not any(start < last and first < end for first, last in record)
    ]
    if not found:
        return None
    found += [item for words in read for item in _matches(words.more, low)]
    kept = _longest(found)
    marks: list[Mark] = [mark for _, _, mark in kept if mark is not None]
    first = next(iter(marks), None)
    mark = "stacked_bar" if "stacked_bar" in marks else first
    return ChartWords(tuple((start, end) for start, end, _ in kept), mark)


def declined(text: str, language: Language) -> bool:
    """Whether a question says that it wants no chart."""
    return asked_without_refusal(text, language) != text


def asked_without_refusal(text: str, language: Language) -> str:
    """A question with blanks in the place of the words that decline a chart ("no graph needed")."""
    low, characters = half_width(text), list(text)
    for words in _of(language):
        for match in (match for pattern in words.refused for match in pattern.finditer(low)):
            rest = _REST.match(low, match.end())
            end = rest.end() if rest else match.end()
            characters[match.start() : end] = " " * (end - match.start())
    return "".join(characters)


def _of(language: Language) -> list["_Words"]:
    """The words of a language; a Chinese question may ask in English words."""
    return [_words()[name] for name in (("zh", "en") if language == "zh" else ("en",))]


@dataclass(frozen=True, slots=True)
class _Words:
    words: tuple[tuple[re.Pattern[str], Mark | None], ...]
    more: tuple[tuple[re.Pattern[str], Mark | None], ...]
    record: tuple[re.Pattern[str], ...]
    refused: tuple[re.Pattern[str], ...]


@cache
def _words() -> Mapping[str, _Words]:
    content = yaml.safe_load(files("agent.planning").joinpath("chart_words.yaml").read_text(encoding="utf-8"))
    return {language: _compiled(raw) for language, raw in content.items()}


def _compiled(raw: dict) -> _Words:
    # Chinese characters are no part of an English word: "plot" of "plot一下" stands alone.
    def entries(items: list[dict]) -> tuple[tuple[re.Pattern[str], Mark | None], ...]:
        return tuple(
            (re.compile(_whole(item["words"], raw["parts"]), re.ASCII), cast(Mark | None, item.get("mark")))
            for item in items
        )

    return _Words(
        entries(raw["words"]),
        entries(raw["more"]),
        tuple(map(re.compile, raw["record"])),
        tuple(map(re.compile, raw["refused"])),
    )


def _whole(pattern: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"<{name}>", part)
    return pattern


def _matches(entries: tuple[tuple[re.Pattern[str], Mark | None], ...], text: str) -> Iterator[Found]:
    for pattern, mark in entries:
        for match in pattern.finditer(text):
            words = match[0]
            start = match.start() + len(words) - len(words.lstrip())
            if words.strip():
                yield start, match.start() + len(words.rstrip()), mark


def _longest(found: list[Found]) -> list[Found]:
    """Without overlaps: the longest first, and of equal ones that which names a mark."""
    kept: list[Found] = []
    for start, end, mark in sorted(found, key=lambda item: (item[0] - item[1], item[2] is None, item[0])):
        if all(end <= first or start >= last for first, last, _ in kept):
            kept.append((start, end, mark))
    return sorted(kept, key=lambda item: item[0])
