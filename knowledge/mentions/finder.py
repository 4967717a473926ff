"""Finds the mentions of a text and judges each in its sentence."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Self

from knowledge.mentions.matching import spans
from knowledge.mentions.mention import Mention
from knowledge.mentions.names import NameTable
from knowledge.mentions.readings import Language, Readings
from knowledge.mentions.section_defaults import TARGET
from knowledge.mentions.senses import Meaning, Setting, has_senses, meant
from knowledge.mentions.span import Span
from knowledge.mentions.words import Words, half_width, words_of


class MentionFinder:
    """Finds concepts by their names, and targets by their wording, and says what the text says of them."""

    def __init__(self, names: NameTable) -> None:
        self._names = names

    @classmethod
    def load(cls, names: NameTable) -> Self:
        """A finder of these names."""
        return cls(names)

    def find(self, text: str, language: Language | None = None, targets: Sequence[str] = ()) -> list[Mention]:
        """The mentions of a text, by position.

        Args:
            text: a note, a question, a sentence.
            language: of its prose; None: each sentence is read by its own script.
            targets: strings to judge wherever they occur, in any case and spacing, whether or not they
                name a concept.
        """
        words = words_of(text)
        found = spans(self._names, text, words)
        readings = Readings(text, words, language, [(span.first, span.last) for span in found])
        named = self._settled(found, text, words, readings)
        places = {(span.first, span.last) for span in named}
        judged = [
            span for span in _occurrences(text, words, targets) if (span.first, span.last) not in places
        ]
        ordered = sorted((*named, *judged), key=lambda span: (span.first, -span.last))
        return [self._mention(text, words, span, readings) for span in ordered]

    def _settled(self, found: list[Span], text: str, words: Words, readings: Readings) -> list[Span]:
        """The spans with the meanings that they have here; those that mean nothing we know are left out."""
        settled: list[Span] = []
        doubtful: list[tuple[Span, str]] = []
        for span in found:
            form = text[words.starts[span.first] : words.ends[span.last - 1]]
            if not span.defined and (len(span.concepts) > 1 or has_senses(half_width(form))):
                doubtful.append((span, half_width(form)))
            else:
                settled.append(span)
        elsewhere = frozenset(span.concepts[0] for span in settled if len(span.concepts) == 1)
        decided: dict[tuple[str, tuple[str, ...], Setting], Meaning | None] = {}
        for span, form in doubtful:
            start = words.starts[span.first]
            setting = Setting(readings.around(start, form), readings.section(start), elsewhere)
            case = (form, span.concepts, setting)
            if case not in decided:
                decided[case] = meant(form, span.concepts, self._names.types, setting)
            meaning = decided[case]
            if meaning is not None:
                types = {self._names.types[concept] for concept in meaning.concepts}
                kind = types.pop() if len(types) == 1 else None
                settled.append(replace(span, concepts=meaning.concepts, type=kind, open=meaning.open))
        return settled

    def _mention(self, text: str, words: Words, span: Span, readings: Readings) -> Mention:
        start, end = words.starts[span.first], words.ends[span.last - 1]
        types = {self._names.types[concept] for concept in span.concepts} or {span.type or TARGET}
        judgement, time = readings.judge(span, types)
        sure = len(span.concepts) == 1 and not span.open
        return Mention(
            start=start,
            end=end,
            text=text[start:end],
            concept=span.concepts[0] if sure else None,
            type=span.type,
            assertion=judgement.assertion,
            experiencer=judgement.experiencer,
            time=time,
            candidates=() if sure else span.concepts,
        )


def _occurrences(text: str, words: Words, targets: Iterable[str]) -> Iterator[Span]:
    for target in dict.fromkeys(targets):
        pieces = [re.escape(piece) for piece in target.split()]
        if not pieces:
            continue
        pattern = r"\s+".join(pieces)
        before = "(?<![A-Za-z0-9])" if target.strip()[0].isascii() else ""
        after = "(?![A-Za-z0-9])" if target.strip()[-1].isascii() else ""
        for match in re.finditer(before + pattern + after, text, re.IGNORECASE):
            first = bisect_right(words.starts, match.start()) - 1
            last = bisect_left(words.starts, match.end())
            if first >= 0 and last > first:
                yield Span(first, last, (), None)
