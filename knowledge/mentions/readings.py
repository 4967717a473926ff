"""The sentences of one text with what they say: read once, asked for each of their mentions."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence, Set
from typing import Literal

from knowledge.mentions.context import Context, Judgement
from knowledge.mentions.rulebook import rulebook
from knowledge.mentions.section_defaults import in_section
from knowledge.mentions.sentences import Sentence, kind_of, sections, sentences
from knowledge.mentions.span import Span
from knowledge.mentions.times import Time, times_in
from knowledge.mentions.words import Words, has_cjk

Language = Literal["en", "zh"]
_TITLE = re.compile(r"([^:：]{2,40}?)\s*[:：]")
_COMMAS = frozenset(",，")


class Readings:
    """The sentences of a text, each read once when the first of its mentions asks.

    Args:
        text, words: the text.
        language: of its prose; None: each sentence is read by its own script.
        names: where its names stand (first and last word): what is part of a name says nothing of others.
    """

    def __init__(
        self, text: str, words: Words, language: Language | None, names: Sequence[tuple[int, int]]
    ) -> None:
        self._inside = {at: (first, last) for first, last in names for at in range(first, last)}
        self._text = text
        self._words = words
        self._language = language
        self._sentences = [s for s in sentences(text) if not s.heading]
        self._starts = [sentence.start for sentence in self._sentences]
        self._read: dict[int, tuple[Context, list[Time]]] = {}
        titled = sorted((*_titled(text), *_titled_inside(text, self._sentences)))
        self._section_starts = [start for start, _ in titled]
        self._kinds = [kind for _, kind in titled]

    def judge(self, span: Span, types: Set[str]) -> tuple[Judgement, str | None]:
        """What the sentence of a span says of it, or else its section, and its time."""
        start, end = self._words.starts[span.first], self._words.ends[span.last - 1]
        at = self._sentence(start)
        if at is None:
            return Judgement("present", "patient"), None
        if at not in self._read:
            self._read[at] = self._reading(self._sentences[at])
        context, times = self._read[at]
        judgement = in_section(context.judge(span.first, span.last), self.section(start), types)
        near = [time for time in times if self._belongs(time, span, context, judgement)]
        near.sort(key=lambda time: start - time.end if time.end <= start else time.start - end + 1)
        return judgement, near[0].value if near else None

    def section(self, start: int) -> str:
        """The kind of the section around a place."""
        return self._kinds[bisect_right(self._section_starts, start) - 1]

    def around(self, start: int, form: str) -> str:
        """The sentence around a form, without it."""
        at = self._sentence(start)
        if at is None:
            return ""
        return self._text[self._sentences[at].start : self._sentences[at].end].replace(form, " ")

    def _sentence(self, start: int) -> int | None:
        at = bisect_right(self._starts, start) - 1
        return None if at < 0 or self._sentences[at].end <= start else at

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
        context = Context(self._text, self._words, first, last, book, self._inside)
        return context, times_in(self._text, sentence.start, sentence.end)


def _titled(text: str) -> Iterator[tuple[int, str]]:
    return ((section.start, kind_of(section.title)) for section in sections(text))


def _titled_inside(text: str, known: Sequence[Sentence]) -> Iterator[tuple[int, str]]:
    """Sections of a note without line breaks: sentences that begin with a title and a colon."""
    for sentence in known:
        match = _TITLE.match(text, sentence.start, sentence.end)
        if match and (kind := kind_of(match[1])):
            yield sentence.start, kind
