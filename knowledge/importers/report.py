"""What a load tells while it runs and when it is done. Counts only, never record text."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a load is.

    Attributes:
        file: the file that is being read.
        files_done: files that are finished.
        files_total: files of the whole load.
        rows: input rows or resources handled so far, over all files.
        bytes_done: size of the finished files.
        bytes_total: size of all files.
    """

    file: Path
    files_done: int
    files_total: int
    rows: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of input rows or resources; ``accepted + rejected + skipped + duplicates`` is the input.

    Attributes:
        accepted: stored, new or changed.
        rejected: broke a rule; kept in the quarantine.
        skipped: of a type that the store has no place for.
        duplicates: already stored with the same content.
        updated: of the accepted, those that changed or completed a stored row.
        unlinked: of the accepted, those with an optional reference to something that never came.
        untitled: of the accepted, those whose code no dictionary explains (the code stands in for its title).
    """

    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    duplicates: int = 0
    updated: int = 0
    unlinked: int = 0
    untitled: int = 0

    @property
    def input(self) -> int:
        """Rows or resources that were read."""
        return self.accepted + self.rejected + self.skipped + self.duplicates

    @classmethod
    def of(cls, counter: Mapping[str, int]) -> "Counts":
        """Counts from a counter whose keys are this class's fields."""
        return cls(**{f.name: counter.get(f.name, 0) for f in fields(cls)})

    @classmethod
    def sum(cls, many: Iterable["Counts"]) -> "Counts":
        """All of them together."""
        total: Counter[str] = Counter()
        for counts in many:
            total.update({f.name: getattr(counts, f.name) for f in fields(cls)})
        return cls.of(total)


class FileState(StrEnum):
    """What happened to a file as a whole."""

    LOADED = "loaded"
    UNCHANGED = "unchanged"  # an identical file was loaded before; nothing was read
    FAILED = "failed"  # could not be read to its end; nothing of it is stored
    HELD_BACK = "held back"  # not read, because a file that it refers to failed


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file of a load.

    Attributes:
        path: the file.
        state: what happened to it.
        counts: what became of its rows; all zero unless it was loaded.
        items: the same by table or resource type.
        reasons: (item, reason) to how many rows were rejected or skipped for it.
        error: why it failed or was held back.
        seconds: time it took.
    """

    path: Path
    state: FileState
    counts: Counts = Counts()
    items: Mapping[str, Counts] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    error: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A whole load.

    Attributes:
        kind: the format, e.g. ``mimic``.
        source: what was loaded.
        files: one report for each file, in load order.
        seconds: time it took.
    """

    kind: str
    source: Path
    files: tuple[FileReport, ...]
    seconds: float

    @property
    def counts(self) -> Counts:
        """All files together."""
        return Counts.sum(file.counts for file in self.files)

    @property
    def items(self) -> dict[str, Counts]:
        """By table or resource type, over all files."""
        names = dict.fromkeys(name for file in self.files for name in file.items)
        return {
            name: Counts.sum(file.items[name] for file in self.files if name in file.items) for name in names
        }

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """Files that failed or were held back; a caller with an exit status says so there."""
        return tuple(f for f in self.files if f.state in (FileState.FAILED, FileState.HELD_BACK))
