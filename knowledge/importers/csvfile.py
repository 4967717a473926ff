"""CSV files, plain or gzipped, read a row at a time: what is wrong with the file, what with a row."""

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from knowledge.errors import ImportFailure
from knowledge.importers.records import Rejected

if TYPE_CHECKING:
    import _csv

csv.field_size_limit(1 << 27)  # a note is one field; the module's own limit is 128 kB

Cells = dict[str, str]


def read_csv(
    path: Path,
    item: str,
    *,
    required: Iterable[str] = (),
    encoding: str = "utf-8-sig",
    header: int = 1,
    rename: Callable[[str], str] = str.strip,
) -> Iterator[tuple[int, Cells] | Rejected]:
    """The rows of a CSV file; a tab in the header makes it tab-separated without quotes (OMOP's Athena).

    Args:
        path: the file, gzipped if its name ends in ``.gz``.
        item: what the rows are called in the quarantine.
        required: columns that must be there.
        encoding: of the text.
        header: the line of the column names, from 1; lines before it are not read.
        rename: makes a column's name from what the header says.

    Yields:
        Line number and cells by column; ``Rejected`` for a row with too few or too many cells and for one
        that repeats the header.

    Raises:
        ImportFailure: not readable, damaged, empty, in another encoding, a column missing or there twice.
    """
    with _opened(path, encoding) as file:
        rows, names = _after_header(path, file, header, rename)
        check_header(path, names, required)
        previous = rows.line_num
        for cells in rows:
            line, previous = header + previous, rows.line_num
            if not cells:
                continue
            if len(cells) != len(names):
                reason = f"has {len(cells)} cells where the header has {len(names)}"
                yield Rejected(line, item, reason, json.dumps(cells))
            elif repeats_header(cells, names, rename):
                yield Rejected(line, item, "is a second header, not a record", json.dumps(cells))
            else:
                yield line, dict(zip(names, cells, strict=True))


def read_names(path: Path, *, encoding: str = "utf-8-sig", header: int = 1) -> list[str]:
    """Only the names of the columns; arguments and errors as in ``read_csv``."""
    with _opened(path, encoding) as file:
        return _after_header(path, file, header, str.strip)[1]


def check_header(path: Path, names: list[str], required: Iterable[str]) -> None:
    """Raise ``ImportFailure`` if a column is missing or named twice."""
    missing = [name for name in required if name not in names]
    if missing:
        # What the file has instead is not told: without a header, that would be a patient's record.
        raise ImportFailure(
            f"{path} has no column {', '.join(map(repr, missing))} (its header names {len(names)} columns)."
        )
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        number = names.index(twice[0]) + 1
        raise ImportFailure(f"{path} has a column twice, the name of column {number}; rename one of them.")


def repeats_header(cells: list[str], names: list[str], rename: Callable[[str], str] = str.strip) -> bool:
    """Whether a row holds column names: at least two cells, and half of those that are filled."""
    filled = [rename(cell) for cell in cells if cell.strip()]
    hits = sum(cell in names for cell in filled)
    return hits > 0 and 2 * hits >= len(filled) and (hits > 1 or len(names) == 1)


def _after_header(
    path: Path, file: TextIO, header: int, rename: Callable[[str], str]
) -> "tuple[_csv.Reader, list[str]]":
    for _ in range(header - 1):
        file.readline()
    first = file.readline()
    if not first.strip():
        raise ImportFailure(f"{path} is empty: line {header} should hold the names of the columns.")
    lines = chain([first], file)
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if "\t" in first else csv.reader(lines)
    return rows, [rename(name) for name in next(rows)]


@contextmanager
def _opened(path: Path, encoding: str) -> Iterator[TextIO]:
    try:
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rt", encoding=encoding, newline="") as file:
            yield file  # type: ignore[misc]
    except UnicodeDecodeError as error:
        raise ImportFailure(
            f"{path} is not {encoding.removesuffix('-sig')} text; save it as UTF-8, "
            "or name its encoding in a mapping."
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ImportFailure(f"{path} is damaged or cut off (gzip); fetch it again.") from error
    except csv.Error as error:
        raise ImportFailure(f"{path} is not a well-formed CSV file: {error}.") from error
    except OSError as error:
        raise ImportFailure(f"{path} cannot be read: {error.strerror or error}.") from error
