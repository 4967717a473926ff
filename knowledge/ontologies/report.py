"""What an import or a removal did."""

from dataclasses import dataclass, field

SHOWN = 5


@dataclass(slots=True)
class Reason:
    """Why entries were not taken: how many, and which, up to a few."""

    entries: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Count one more."""
        self.entries += 1
        if len(self.examples) < SHOWN:
            self.examples.append(place)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two sources that give a concept different codes of one system; both are kept.

    Attributes:
        mine: what the imported source says.
        theirs: what another says, with its id.
    """

    concept: str
    system: str
    mine: str
    theirs: str
    source_id: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import did.

    Attributes:
        source_id: what ``chartroom knowledge remove`` takes.
        entries: how many were read.
        merged: terms that joined a concept that was there already.
        added: terms that became concepts of their own.
        names, codes, edges: statements that the graph now holds from this source.
        left: reason to the entries that were not taken.
        apart: reason to the terms that resemble a concept and were kept apart.
        cycles: circles in the hierarchy, as ids.
        disagreements: codes on which another source says otherwise, up to a few.
        disagreeing: how many there are.
    """

    source_id: str
    title: str
    format: str
    version: str
    entries: int
    merged: int
    added: int
    names: int
    codes: int
    edges: int
    left: dict[str, Reason]
    apart: dict[str, Reason]
    cycles: tuple[tuple[str, ...], ...]
    disagreements: tuple[Disagreement, ...]
    disagreeing: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RemovalReport:
    """What a removal took out.

    Attributes:
        lost: what other sources had said of concepts that only this one carried: id to number of statements.
    """

    source_id: str
    concepts: int
    names: int
    codes: int
    edges: int
    lost: dict[str, int]
