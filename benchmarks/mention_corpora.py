"""Reads the public corpora that ``benchmarks/mentions.py`` measures on."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CONCEPT = re.compile(r"[|+]")


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence with one target: is it negated?"""

    text: str
    target: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Gold:
    """An annotated mention with the ids that the annotators gave it (``mesh``, code)."""

    start: int
    end: int
    codes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """An annotated text; only what begins at ``since`` or later counts, the rest is what precedes it."""

    text: str
    gold: tuple[Gold, ...]
    since: int = 0


def negex(path: Path) -> Iterator[Judged]:
    """Sentences of ``annotations-dev.tsv``."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        for row in rows:
            yield Judged(row[2], row[1].strip(), row[3].strip().lower() == "negated")


def ncbi(path: Path) -> Iterator[Passage]:
    """Abstracts of the NCBI disease corpus."""
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.split("\n") if line.strip()]
        if lines:
            text = f"{lines[0].split('|t|', 1)[1]}\n{lines[1].split('|a|', 1)[1]}"
            cells = [line.split("\t") for line in lines[2:]]
            yield Passage(text, tuple(Gold(int(c[1]), int(c[2]), _codes(c[5])) for c in cells))


def _codes(cell: str) -> tuple[tuple[str, str], ...]:
    codes = (code.strip() for code in _CONCEPT.split(cell))
    return tuple(
        ("omim", code.removeprefix("OMIM:"))
        if code.startswith("OMIM")
        else ("mesh", code.removeprefix("MESH:"))
        for code in codes
        if code
    )


def bc5cdr(path: Path, label: str, before: int = 8) -> Iterator[Passage]:
    """Sentences of BC5CDR, each with ``before`` sentences before it: the file does not say where abstracts end.

    The file holds tokens; they are joined as they were written, without blanks around punctuation.
    """
    sentences: list[str] = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        tokens = [line.split("\t") for line in block.split("\n") if line.strip()]
        if not tokens:
            continue
        context = "\n".join(sentences[-before:])
        text, since = (f"{context}\n", len(context) + 1) if context else ("", 0)
        gold: list[Gold] = []
        open_since = -1
        for word, tag in tokens:
            if len(text) > since and not _joined(text, word):
                text += " "
            start = len(text)
            text += word
            if tag == f"B-{label}":
                open_since = start
                gold.append(Gold(start, len(text)))
            elif tag == f"I-{label}" and open_since >= 0:
                gold[-1] = Gold(open_since, len(text))
            else:
                open_since = -1
        sentences.append(text[since:])
        yield Passage(text, tuple(gold), since)


def _joined(text: str, word: str) -> bool:
    return word in "-/.,;:)]%'" or text[-1] in "-/([" or (text[-1] == "'" and word == "s")


def notes(folder: Path) -> list[str]:
    """The notes of ACI-BENCH."""
    csv.field_size_limit(10**9)
    found = []
    for part in ("train", "valid"):
        with (folder / f"{part}.csv").open(encoding="utf-8", newline="") as lines:
            found.extend(row["note"] for row in csv.DictReader(lines))
    return found
