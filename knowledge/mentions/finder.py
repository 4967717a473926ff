"""Finds the mentions of a text and judges each in its sentence."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Literal, Self

from knowledge.mentions.context import Context, Judgement
from knowledge.mentions.matching import Span, spans
from knowledge.mentions.mention import Mention
from knowledge.mentions.names import NameTable
from knowledge.mentions.rulebook import rulebook
from knowledge.mentions.section_defaults import TARGET, in_section
from knowledge.mentions.sentences import Sentence, kind_of, sections, sentences
from knowledge.mentions.times import Time, times_in
from knowledge.mentions.words import Words, has_cjk, words_of

_COMMAS = frozenset(",，")
Language = Literal["en", "zh"]


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
        named = spans(self._names, text, words)
        places = {(span.first, span.last) for span in named}
        judged = [
            span for span in _occurrences(text, words, targets) if (span.first, span.last) not in places
        ]
        readings = _Readings(text, words, language)
        found = sorted((*named, *judged), key=lambda span: (span.first, -span.last))
        return [self._mention(text, words, span, readings) for span in found]

    def _mention(self, text: str, words: Words, span: Span, readings: "_Readings") -> Mention:
        start, end = words.starts[span.first], words.ends[span.last - 1]
        types = {self._names.types[concept] for concept in span.concepts} or {span.type or TARGET}
        judgement, time = readings.judge(span, types)
        return Mention(
            start=start,
            end=end,
            text=text[start:end],
            concept=span.concepts[0] if len(span.concepts) == 1 else None,
            type=span.type,
            assertion=judgement.assertion,
            experiencer=judgement.experiencer,
            time=time,
            candidates=span.concepts if len(span.concepts) > 1 else (),
        )


class _Readings:
    """The sentences of a text, each read once when the first of its mentions asks."""

    def __init__(self, text: str, words: Words, language: Language | None) -> None:
        self._text = text
        self._words = words
        self._language = language
        self._sentences = [s for s in sentences(text) if not s.heading]
        self._starts = [sentence.start for sentence in self._sentences]
        self._read: dict[int, tuple[Context, list[Time]]] = {}
        titled = [(section.start, kind_of(section.title)) for section in sections(text)]
        self._section_starts = [start for start, _ in titled]
        self._kinds = [kind for _, kind in titled]

    def judge(self, span: Span, types: Set[str]) -> tuple[Judgement, str | None]:
        """What the sentence of a span says of it, or else its section, and its time."""
        start, end = self._words.starts[span.first], self._words.ends[span.last - 1]
        at = bisect_right(self._starts, start) - 1  # of the sentence
        if at < 0 or self._sentences[at].end <= start:
            return Judgement("present", "patient"), None
        if at not in self._read:
            self._read[at] = self._reading(self._sentences[at])
        context, times = self._read[at]
        section = bisect_right(self._section_starts, start) - 1
        judgement = in_section(context.judge(span.first, span.last), self._kinds[section], types)
        near = [time for time in times if self._belongs(time, span, context, judgement)]
        near.sort(key=lambda time: start - time.end if time.end <= start else time.start - end + 1)
        return judgement, near[0].value if near else None

    def _belongs(self, time: Time, span: Span, context: Context, judgement: Judgement) -> bool:
        """A time belongs to what its clause names; one that opens the sentence to all that is there after it."""
        at = bisect_left(self._words.starts, time.start)
        after = bisect_left(self._words.starts, time.end)
        between = (after, span.first) if at < span.first else (span.last, at)
        if context.apart(*between):
            return False
        comma = not _COMMAS.isdisjoint(self._words.raw[between[0] : between[1]])
        return not comma or (at < span.first and judgement.assertion == "present")

    def _reading(self, sentence: Sentence) -> tuple[Context, list[Time]]:
        first = bisect_left(self._words.starts, sentence.start)
        last = bisect_left(self._words.starts, sentence.end)
        chinese = self._language == "zh" or (
            self._language is None and has_cjk(self._text[sentence.start : sentence.end])
        )
        book = rulebook("zh", "en") if chinese else rulebook("en")
        return Context(self._text, self._words, first, last, book), times_in(
            self._text, sentence.start, sentence.end
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
