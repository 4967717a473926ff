"""A hospital's export as rows of text, whether CSV in some encoding or a sheet of a workbook."""

import codecs
import gzip
import json
import warnings
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zipfile import BadZipFile

import openpyxl
from charset_normalizer import from_bytes
from openpyxl.utils.exceptions import InvalidFileException

from knowledge.errors import ImportFailure
from knowledge.importers.csvfile import Cells, check_header, read_csv, read_names, repeats_header
from knowledge.importers.records import Rejected

_SAMPLE = 1 << 18
_ENCODINGS = ["gb18030", "big5", "utf_16", "cp1252"]


class Sheet:
    """One CSV file or one sheet of a workbook.

    Args:
        path: ``.csv``, ``.csv.gz``, ``.txt``, ``.tsv`` or ``.xlsx``.
        sheet: of a workbook; the first by default.
        encoding: of a CSV file; recognised by default.
        header: line of the column names, from 1.
    """

    def __init__(self, path: Path, sheet: str | None, encoding: str | None, header: int) -> None:
        self._path = path
        self._sheet = sheet
        self._header = header
        self._workbook = path.suffix.lower() in (".xlsx", ".xlsm")
        self._encoding = "" if self._workbook else encoding or _encoding(path)

    def names(self) -> list[str]:
        """The names of the columns.

        Raises:
            ImportFailure: the file cannot be read.
        """
        if self._workbook:
            return next(self._cells(), (0, []))[1]
        return read_names(self._path, encoding=self._encoding, header=self._header)

    def rows(self, item: str) -> Iterator[tuple[int, Cells] | Rejected]:
        """Line number and cells by column; ``Rejected`` for rows that are no record."""
        if not self._workbook:
            yield from read_csv(self._path, item, encoding=self._encoding, header=self._header)
            return
        cells = self._cells()
        _, names = next(cells, (0, []))
        check_header(self._path, names, ())
        for line, row in cells:
            if not any(row):
                continue
            row += [""] * (len(names) - len(row))
            if any(row[len(names) :]):
                yield Rejected(line, item, "has cells beyond the last column of the header", json.dumps(row))
            elif repeats_header(row, names):
                yield Rejected(line, item, "is a second header, not a record", json.dumps(row))
            else:
                yield line, {name: cell for name, cell in zip(names, row, strict=False) if name}

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        try:
            with warnings.catch_warnings():
                # openpyxl warns of styles and rules that it does not know; values are not affected.
                warnings.simplefilter("ignore", UserWarning)
                book = openpyxl.load_workbook(self._path, read_only=True, data_only=True)
                try:
                    if self._sheet is not None and self._sheet not in book.sheetnames:
                        raise ImportFailure(
                            f"{self._path} has no sheet {self._sheet!r}; it has {', '.join(book.sheetnames)}."
                        )
                    sheet = book[self._sheet] if self._sheet is not None else book.worksheets[0]
                    rows = sheet.iter_rows(min_row=self._header, values_only=True)
                    for line, row in enumerate(rows, start=self._header):
                        yield line, [_text(cell) for cell in row]
                finally:
                    book.close()
        except (BadZipFile, InvalidFileException, KeyError, OSError, IndexError) as error:
            raise ImportFailure(f"{self._path} is not a readable .xlsx workbook; save it again.") from error


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # workbooks keep every number as a float
    return str(cell).strip()


def _encoding(path: Path) -> str:
    """UTF-8 where the start of the file is that, else what charset-normalizer says of likely ones."""
    try:
        opener = gzip.open if path.suffix.lower() == ".gz" else open
        with opener(path, "rb") as file:
            sample = bytes(file.read(_SAMPLE))
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFailure(f"{path} cannot be read, or is damaged.") from error
    if _decodes(sample, "utf-8"):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    best = from_bytes(sample, cp_isolation=_ENCODINGS).best()
    if best is None or not _decodes(sample, best.encoding):
        raise ImportFailure(
            f"{path} is in no encoding that is recognised; name it with 'encoding' in the mapping."
        )
    return best.encoding


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=len(sample) < _SAMPLE)
    except UnicodeDecodeError:
        return False
    return True
