"""The manifest of an index: digest and size of each of its files, and what it was built from."""

import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.errors import IndexFault, IndexOutdated

SCHEMA_VERSION = 2
NAME = "manifest.json"


class FileRecord(BaseModel):
    """One file of an index."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: int
    sha256: str


class ModelRecord(BaseModel):
    """The embedding model that made the vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    sha256: str
    dimension: int


class Manifest(BaseModel):
    """What an index is.

    Attributes:
        schema_version: of the files' layout.
        store: ``RecordStore.identity()`` of the store that was indexed.
        last_change: the newest ``note_changes.change_id`` that the index knows.
        embedding: ``None`` for an index of keywords or values only.
        details: counts for the status page.
        files: name to digest and size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: int = SCHEMA_VERSION
    store: str
    last_change: int = 0
    embedding: ModelRecord | None = None
    details: dict[str, int | str] = {}
    files: dict[str, FileRecord] = {}


def seal(folder: Path, manifest: Manifest) -> str:
    """Record the files of ``folder`` and write the manifest last, durably.

    Returns:
        The manifest's own SHA-256, for the pointer to the folder.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name != NAME:
            _sync(path)
            files[path.name] = FileRecord(size=path.stat().st_size, sha256=file_sha256(path))
    text = manifest.model_copy(update={"files": files}).model_dump_json(indent=1)
    write_durably(folder / NAME, text)
    return hashlib.sha256(text.encode()).hexdigest()


def check(folder: Path, sha256: str, repair: str) -> Manifest:
    """Read a manifest and verify every byte of the files it names.

    Args:
        folder: the folder that ``seal`` was called for.
        sha256: what ``seal`` returned.
        repair: the command that builds the index anew, for the message.

    Raises:
        IndexFault: anything is missing, truncated or altered.
        IndexOutdated: it is of another version.
    """
    try:
        raw = (folder / NAME).read_bytes()
        if hashlib.sha256(raw).hexdigest() != sha256:
            raise IndexFault(f"The manifest of the index {folder} was altered. Build it anew with: {repair}")
        manifest = Manifest.model_validate_json(raw)
    except (OSError, ValidationError) as error:
        raise IndexFault(
            f"The index {folder} has no readable manifest. Build it anew with: {repair}"
        ) from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise IndexOutdated(
            f"The index {folder} has version {manifest.schema_version}, this Chartroom reads "
            f"{SCHEMA_VERSION}. Build it anew with: {repair}"
        )
    for name, record in manifest.files.items():
        path = folder / name
        if not path.is_file():
            fault = "is missing"
        elif path.stat().st_size != record.size:
            fault = f"has {path.stat().st_size} bytes where {record.size} were written"
        elif file_sha256(path) != record.sha256:
            fault = "was altered"
        else:
            continue
        raise IndexFault(f"The file {name} of the index {folder} {fault}. Build it anew with: {repair}")
    return manifest


def is_outdated(folder: Path) -> bool:
    """Whether the files in a folder are of another version; what cannot be read is not, but damaged."""
    try:
        return Manifest.model_validate_json((folder / NAME).read_bytes()).schema_version != SCHEMA_VERSION
    except (OSError, ValidationError):
        return False


def write_durably(path: Path, text: str) -> None:
    """Replace a file's content at once: a reader sees the old or the new, also after a power cut."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if os.name == "posix":  # the rename itself lives in the folder; elsewhere folders cannot be opened
        _sync(path.parent)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
