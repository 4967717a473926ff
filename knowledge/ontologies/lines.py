"""Reading text and table files, plain or gzip, line by line, with errors that name the file."""

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, BinaryIO, cast

from knowledge.errors import ImportFailure
from knowledge.unpacking import unpacked

_LONGEST = 1 << 20  # characters of one line; a longer one is no table and no ontology


@contextmanager
def text_of(path: Path) -> Iterator[IO[str]]:
    """The text of a UTF-8 file, unpacked where its name ends in ``.gz``.

    Raises:
        ImportFailure: it cannot be opened, or, while it is read, unpacked or decoded; or it unpacks to far too much.
    """
    try:
        with path.open("rb") as raw:
            content = cast("BinaryIO", unpacked(raw, path.suffix == ".gz"))
            with TextIOWrapper(content, encoding="utf-8-sig", newline="") as text:
                yield text
    except UnicodeDecodeError as error:
        raise ImportFailure(
            f"The file {path} is not UTF-8 (byte {error.start} of a block). Convert it and import it again."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportFailure(f"The file {path} is not a whole gzip file: {error}. Fetch it again.") from error
    except csv.Error as error:
        raise ImportFailure(f"The file {path} is no table: {error}.") from error
    except OSError as error:
        raise ImportFailure(f"The file {path} cannot be read: {error.strerror or error}.") from error


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers, without line ends."""
    with text_of(path) as text:
        for number, line in enumerate(_short_lines(path, text), start=1):
            yield number, line.rstrip("\r\n")


def _short_lines(path: Path, text: IO[str]) -> Iterator[str]:
    """The lines of a text; one without end would fill the memory."""
    number = 0
    while line := text.readline(_LONGEST):
        number += 1
        if len(line) == _LONGEST:
            raise ImportFailure(f"The file {path}, line {number}, is too long for a text of lines.")
        yield line


def table_of(
    path: Path, columns: Sequence[str], delimiter: str = "\t", *, quoted: bool = True
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with their line numbers; cells are stripped, missing ones are empty.

    Args:
        path: the file.
        columns: those that must be there.
        delimiter: between cells.
        quoted: quotation marks enclose cells; else they are text.

    Raises:
        ImportFailure: the file cannot be read or a column is missing.
    """
    with text_of(path) as text:
        quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        reader = csv.reader(_short_lines(path, text), delimiter=delimiter, quoting=quoting)
        header = [cell.strip() for cell in next(reader, [])]
        missing = [column for column in columns if column not in header]
        if missing:
            raise ImportFailure(f"The table {path} has no column {', '.join(missing)}.")
        for cells in reader:
            if cells:
                padded = cells + [""] * (len(header) - len(cells))
                yield (
                    reader.line_num,
                    {name: cell.strip() for name, cell in zip(header, padded, strict=False)},
                )


def head_of(path: Path, size: int = 4096) -> str:
    """The beginning of a file, for recognising it; what is no UTF-8 is replaced, what cannot be read is empty."""
    try:
        with path.open("rb") as raw:
            packed = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            return packed.read(size).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError, zlib.error):
        return ""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        ImportFailure: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImportFailure(f"The file {path} cannot be read: {error.strerror or error}.") from error
