"""What a reader of a source hands to the loader: one item for each row or resource of the input.

Readers only read and map. The loader (``loader.py``) owns the transaction, keys, duplicates and the
quarantine. ``accepted + rejected + skipped + duplicates = input`` holds because every input row or resource
is handed over as exactly one ``Accepted``, ``Rejected`` or ``Skipped`` (what is accepted here may turn out
to be a duplicate, or to break a rule of the store, once the loader sees it).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row for one table of the store.

    Attributes:
        table: a table of ``schema.sql``.
        values: column to value. Integer keys that the source owns (``subject_id``, ``hadm_id``, ``stay_id``,
            ``itemid``) may be given as they are; where the source has text keys instead (FHIR ids), give a
            ``Ref`` and the loader allots a stable integer.
        source_id: the row's key in its source, unique in its table; ``None`` where the source has no key
            (the loader then keys it by a hash of the row and its ordinal among equal rows of that file).
        completes: only fills columns of a row that another file or line brings (the date of death of a
            patient); a row that never comes quarantines it.
    """

    table: str
    values: "Mapping[str, Value | Ref]"
    source_id: str | None = None
    completes: bool = False


@dataclass(frozen=True, slots=True)
class Ref:
    """A key of the source that is not an integer of ours, e.g. ``Ref('patients', '3190019b-…')``.

    ``table`` is the table whose integer key is meant: ``patients`` (``subject_id``), ``admissions``
    (``hadm_id``), ``icustays`` (``stay_id``), ``transfers`` (``transfer_id``), ``d_labitems`` and ``d_items``
    (``itemid``), or any table of events (``row_id``).

    Attributes:
        table: see above.
        key: the source's own key.
        optional: what to do if the row that is meant never comes: ``False`` quarantines the row that refers
            to it, ``True`` leaves the column empty and counts the row as unlinked.
    """

    table: str
    key: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """An input row or resource that became rows of the store (dictionary rows may come along).

    Attributes:
        line: 1-based line or entry in the file.
        rows: stored all or not at all.
        item: the table or resource type that reports name; by default the first table that is no dictionary.
        raw: the input as it came, for the quarantine; by default the mapped rows are kept there.
    """

    line: int
    rows: tuple[Row, ...]
    item: str | None = None
    raw: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input row or resource that breaks a rule; it goes to quarantine as it is."""

    line: int
    item: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """``n`` input rows or resources of a type that the store has no place for."""

    item: str
    reason: str
    n: int = 1


Item = Accepted | Rejected | Skipped


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source: the unit of a transaction.

    Attributes:
        path: the file.
        order: sorts files so that what is referred to comes first (patients before admissions before events).
        options: how it is read; part of the file's identity.
        brings: the tables that rows of the file may refer to and that the file itself fills (``None``: any).
            A reference to another table is then decided at once instead of at the end of the file.
    """

    path: Path
    order: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    brings: frozenset[str] | None = None


class Reader(Protocol):
    """A format that can be loaded. Implementations: ``mimic``, ``fhir``, ``omop``, ``tabular``, ``notes``."""

    kind: str

    def files(self, source: Path) -> list[SourceFile]:
        """The files of ``source`` that this reader takes, in load order; empty if it is not this format."""
        ...

    def read(self, file: SourceFile) -> Iterator[Item]:
        """Stream the items of one file; raises ``ImportFailure`` only if the whole file is unreadable."""
        ...
