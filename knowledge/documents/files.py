"""Documents from files: Markdown, text, HTML, PDF and DOCX, and JSON Lines with a document in each line.

A Markdown or text file may begin with front matter between two lines ``---``: ``id``, ``title``, ``edition``,
``supersedes``, ``language``. Without it the id is the path without suffix and the title is the first heading.

Where several documents of one import have an id in common (``leaflet.md`` beside ``leaflet.pdf``, a release whose
numbers begin anew in each part), none takes the place of another: the second is called ``ID~2``, and so on.
"""

import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import yaml

from knowledge.documents.library import Document
from knowledge.documents.text import MAX_BYTES, SUFFIXES, extract_marked
from knowledge.errors import ImportFailure
from knowledge.importers.language import language_of
from knowledge.importers.plainyaml import TextLoader
from knowledge.unpacking import unpacked

LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_TEXT = ("text", "answer", "content", "body", "abstract")
_TITLE = ("title", "question", "name")
_FRONT = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_KEYS = ("id", "title", "edition", "supersedes", "language")
_HEADING = re.compile(r"^#{1,6}\s+(\S.*?)\s*#*$", re.MULTILINE)
_HALF = re.compile("[\ud800-\udfff]")
_LONGEST_TITLE = 200
_LONGEST_LINE = 20_000_000  # characters of a document in JSON Lines; longer ones come as files of their own


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file or line that could not be taken; the reason quotes none of it."""

    origin: str
    line: int | None
    reason: str


def is_document(path: Path) -> bool:
    """Whether a file's suffix is one of those read here."""
    name = path.name.lower()
    return name.endswith(LINES) or path.suffix.lower() in SUFFIXES


def documents(path: Path) -> Iterator[Document | Rejected]:
    """The documents of a file, or of all such files below a folder, in the order of their names; streamed.

    Raises:
        ImportFailure: the path is not there, or no file below it is a document.
    """
    met: Counter[str] = Counter()
    for found in _found(path):
        if isinstance(found, Document):
            met[found.doc_id] += 1
            if met[found.doc_id] > 1:
                found = replace(found, doc_id=f"{found.doc_id}~{met[found.doc_id]}")
        yield found


def _found(path: Path) -> Iterator[Document | Rejected]:
    if not path.exists():
        raise ImportFailure(f"There is nothing at {path}.")
    found = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    taken = [file for file in found if is_document(file)]
    if not taken:
        kinds = " ".join((*SUFFIXES, *LINES))
        raise ImportFailure(f"{path} holds no document; give a file or folder with any of: {kinds}")
    inside = path.resolve()
    for file in taken:
        if not path.is_dir():
            yield from _of_file(file, file.name)
            continue
        name = file.relative_to(path).as_posix()
        if file.resolve().is_relative_to(inside):
            yield from _of_file(file, name)
        else:  # whoever may write into the folder could have any file of this machine quoted
            yield Rejected(name, None, "is a link that leads out of the folder")


def _of_file(file: Path, name: str) -> Iterator[Document | Rejected]:
    try:
        if file.name.lower().endswith(LINES):
            yield from _of_lines(file, name)
            return
        if file.stat().st_size > MAX_BYTES:
            raise ImportFailure(f"larger than {MAX_BYTES // 1_000_000} MB")
        extracted = extract_marked(file.read_bytes(), SUFFIXES[file.suffix.lower()])
        stem = name[: -len(file.suffix)]
        document = Document(stem, "", extracted.text, origin=name, pages=extracted.pages)
        if file.suffix.lower() in (".md", ".txt"):
            document = _with_front_matter(document)
        heading = _HEADING.search(document.text)
        title = document.title or (heading[1] if heading else Path(stem).name)
        yield _finished(replace(document, title=title))
    except ImportFailure as refused:
        yield Rejected(name, None, str(refused))
    except OSError as error:
        yield Rejected(name, None, f"cannot be read: {error.strerror}")


def _of_lines(file: Path, name: str) -> Iterator[Document | Rejected]:
    packed = name.lower().endswith(".gz")
    stem = name[: -len(next(suffix for suffix in reversed(LINES) if name.lower().endswith(suffix)))]
    number = 0
    try:
        with (
            file.open("rb") as raw,
            io.TextIOWrapper(cast("BinaryIO", unpacked(raw, packed)), encoding="utf-8-sig") as lines,
        ):
            while line := lines.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE and not line.endswith("\n"):
                    _skip_line(lines)
                    yield Rejected(name, number, f"is longer than {_LONGEST_LINE:,} characters")
                elif line.strip():
                    yield _of_line(line, number, name, stem)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error):
        yield Rejected(name, number + 1, "from here on it is damaged, or not UTF-8")


def _skip_line(lines: IO[str]) -> None:
    """Read on to the end of a line."""
    while (rest := lines.readline(_LONGEST_LINE)) and not rest.endswith("\n"):
        pass


def _of_line(line: str, number: int, name: str, stem: str) -> Document | Rejected:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # a number of thousands of digits is a ValueError of its own
        return Rejected(name, number, "is no JSON")
    if not isinstance(row, dict):
        return Rejected(name, number, "is no JSON object")
    text = _first(row, _TEXT)
    if not text or not text.strip():
        return Rejected(name, number, f"has no text: none of the keys {', '.join(_TEXT)} holds any")
    if "\0" in text:
        return Rejected(name, number, "contains NUL characters")
    own = number if row.get("id") is None else row["id"]
    document = Document(
        f"{stem}/{own}",
        _first(row, _TITLE) or f"{stem} {own}",
        text,
        edition=_text_of(row.get("edition")),
        supersedes=_text_of(row.get("supersedes")),
        language=_text_of(row.get("language")),
        origin=name,
    )
    try:
        return _finished(document)
    except ImportFailure as refused:
        return Rejected(name, number, str(refused))


def _with_front_matter(document: Document) -> Document:
    front = _FRONT.match(document.text)
    if front is None:
        return document
    try:
        given: Any = yaml.load(front[1], TextLoader)
    except yaml.YAMLError:
        raise ImportFailure("its front matter (between the lines ---) is no YAML") from None
    if not isinstance(given, Mapping):
        return document  # a rule between two lines, no front matter
    values = {key: _text_of(given.get(key)) for key in _FRONT_KEYS}
    return replace(
        document,
        doc_id=values["id"] or document.doc_id,
        title=values["title"] or "",
        edition=values["edition"],
        supersedes=values["supersedes"],
        language=values["language"],
    )


def _finished(document: Document) -> Document:
    """With its language, and a title of one line."""
    said = (document.text, document.title, document.doc_id, document.edition, document.supersedes)
    if any(_HALF.search(part) for part in said if part):
        raise ImportFailure("contains halves of characters (lone surrogates): save it as UTF-8")
    language = document.language or language_of(document.text)
    title = " ".join(document.title.split())[:_LONGEST_TITLE]
    if document.supersedes == document.doc_id:
        raise ImportFailure("says that it supersedes itself")
    return replace(document, language=language, title=title)


def _first(row: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((str(row[key]) for key in keys if row.get(key)), None)


def _text_of(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
