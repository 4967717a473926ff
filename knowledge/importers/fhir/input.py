"""FHIR as it comes in files: a Bundle, a single resource, or NDJSON with one resource a line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from knowledge.errors import ImportFailure
from knowledge.importers.columns import RuleBroken
from knowledge.importers.records import Rejected, Skipped

SUFFIXES = (".json", ".json.gz", ".ndjson", ".ndjson.gz")
SNIFFED_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Entry:
    """A JSON object that claims to be a resource.

    Attributes:
        line: line (NDJSON) or entry (Bundle), from 1.
        url: the entry's ``fullUrl``.
        body: the object; its decimals keep the digits they were written with.
    """

    line: int
    url: str | None
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """The resource type; empty where there is none."""
        kind = self.body.get("resourceType")
        return kind if isinstance(kind, str) else ""

    @property
    def key(self) -> str | None:
        """The resource's id, else the UUID of its ``fullUrl``."""
        if isinstance(found := self.body.get("id"), str) and found:
            return found
        return self.url.removeprefix("urn:uuid:") if self.url and self.url.startswith("urn:uuid:") else None

    def rejected(self, reason: str) -> Rejected:
        """This entry for the quarantine."""
        raw = json.dumps(self.body, ensure_ascii=False, default=float)
        return Rejected(self.line, self.kind or "resource", reason, raw)


def is_ndjson(path: Path) -> bool:
    """Whether the name is one of a bulk export."""
    return path.name.lower().endswith((".ndjson", ".ndjson.gz"))


def looks_like_fhir(path: Path) -> bool:
    """Whether the file has a FHIR suffix and names a resource type near its start."""
    if not path.name.lower().endswith(SUFFIXES):
        return False
    try:
        with _open(path) as file:
            return b'"resourceType"' in file.read(SNIFFED_BYTES)
    except (OSError, EOFError, zlib.error):
        return False


def first_type(path: Path) -> str:
    """The resource type of the first line that can be read."""
    return next((entry.kind for entry in lines(path) if isinstance(entry, Entry)), "")


def lines(path: Path) -> Iterator[Entry | Rejected]:
    """The resources of an NDJSON file; lines that are not JSON are rejected one by one.

    Raises:
        ImportFailure: the file cannot be read, or is a truncated gzip archive.
    """
    number = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    yield Entry(number, None, _object(line))
                except RuleBroken as error:
                    yield Rejected(number, "line", str(error), line.decode("utf-8", "replace"))
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFailure(
            f"{path} cannot be read after line {number}: it is truncated or damaged. Copy it again."
        ) from error


def bundle(path: Path) -> Iterator[Entry | Rejected | Skipped]:
    """The resources of a Bundle, or the one resource that the file is.

    Raises:
        ImportFailure: the file is not JSON, or not FHIR.
    """
    try:
        with _open(path) as file:
            body = _object(file.read())
    except (OSError, EOFError, zlib.error) as error:
        raise ImportFailure(f"{path} cannot be read: it is truncated or damaged. Copy it again.") from error
    except RuleBroken as error:
        raise ImportFailure(f"{path} {error}. Export it again.") from error
    if body.get("resourceType") != "Bundle":
        yield Entry(1, None, body)
        return
    entries = body.get("entry", [])
    if not isinstance(entries, list):
        raise ImportFailure(f"{path} is no FHIR Bundle: its entry is not a list. Export it again.")
    for number, entry in enumerate(entries, start=1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            url = entry.get("fullUrl")
            yield Entry(number, url if isinstance(url, str) else None, resource)
        elif isinstance(entry, dict) and "resource" not in entry:
            yield Skipped("Bundle.entry", "has no resource")
        else:
            raw = json.dumps(entry, ensure_ascii=False, default=float)
            yield Rejected(number, "Bundle.entry", "resource: must be an object", raw)


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _no_number(name: str) -> None:
    raise RuleBroken(f"is not JSON: it has the number {name}")


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise RuleBroken("is not UTF-8, as JSON must be") from None
    except json.JSONDecodeError as error:
        raise RuleBroken(f"is not JSON: line {error.lineno}, column {error.colno}") from None
    except (RecursionError, ValueError):
        raise RuleBroken("is not JSON that can be read: too deep, or a number too long") from None
    if not isinstance(body, dict):
        raise RuleBroken("is not a JSON object")
    return body
