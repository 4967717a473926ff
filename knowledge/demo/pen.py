"""Text with facts: which span of a note states which column of which row."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Fact:
    """The span ``[start, end)`` (code points) states ``column`` of a row."""

    start: int
    end: int
    table: str
    row_id: int
    column: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of text comes from."""

    table: str
    row_id: int
    column: str


NO_ALLERGY = Source("allergies", 0, "substance")
"""The text states that the patient has no row in ``allergies``."""


class Pen:
    """Writes text and remembers the facts in it; pieces can be joined and repeated."""

    def __init__(self) -> None:
        self.text = ""
        self.facts: list[Fact] = []

    def write(self, text: str, source: Source | None = None) -> None:
        """Append text; with a source, the text states it."""
        start = len(self.text)
        self.text += text
        if source:
            self.facts.append(Fact(start, len(self.text), source.table, source.row_id, source.column))

    def append(self, other: "Pen") -> None:
        """Append all that another pen wrote, with its facts."""
        shift = len(self.text)
        self.text += other.text
        self.facts += [replace(f, start=f.start + shift, end=f.end + shift) for f in other.facts]

    def splice(self, start: int, end: int, text: str) -> None:
        """Replace a span; facts inside it are dropped, later ones move along."""
        self.text = self.text[:start] + text + self.text[end:]
        shift = len(text) - (end - start)
        self.facts = [
            f if f.end <= start else replace(f, start=f.start + shift, end=f.end + shift)
            for f in self.facts
            if f.end <= start or f.start >= end
        ]

    def capitalise(self) -> None:
        """Begin with a capital letter (the length does not change)."""
        first = self.text[:1].upper()
        if len(first) == 1:
            self.text = first + self.text[1:]
