"""The models of this installation: which files are known by their SHA-256, and which file or server is active.

They are listed in ``models.json`` in Chartroom's folder. A pulled file lies in its ``models`` folder; a file
of the hospital's own stays where it is.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.models import gguf
from agent.models.gguf import ModelFile
from agent.models.pull import Progress, download, hub_address
from agent.models.registry import Recommended, recommended
from agent.models.server_address import Server
from agent.models.worker import LlamaWorker
from agent.paths import home
from knowledge.errors import ModelError


class _Entry(BaseModel):
    """A file as it was when it was recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sha256: str
    size: int


class _Catalogue(BaseModel):
    """The content of ``models.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    active: Path | None = None
    server: Server | None = None  # active instead of a file
    models: tuple[_Entry, ...] = ()

    def entry(self, path: Path) -> _Entry | None:
        return next((entry for entry in self.models if entry.path == path), None)


@dataclass(frozen=True, slots=True)
class Installed:
    """A recorded model.

    Attributes:
        path: where its file lies.
        sha256: what was recorded.
        size: bytes, as recorded.
        active: whether it is the one in use.
        file: what the file says about itself; ``None`` where it is missing or damaged.
        problem: why it cannot be used; ``None`` where nothing is known against it.
    """

    path: Path
    sha256: str
    size: int
    active: bool
    file: ModelFile | None
    problem: str | None


def installed() -> tuple[Installed, ...]:
    """All recorded models. Structure and size are checked; content is not, which would take minutes."""
    catalogue = _read()
    in_use = None if catalogue.server else catalogue.active
    return tuple(_inspect(entry, entry.path == in_use) for entry in catalogue.models)


def active() -> ModelFile | None:
    """The model file in use, with its recorded SHA-256; ``None`` where none was chosen, or a server.

    Raises:
        ModelError: its file is missing, damaged or of another size than recorded.
    """
    catalogue = _read()
    if catalogue.server is not None:
        return None
    entry = catalogue.entry(catalogue.active) if catalogue.active else None
    if entry is None:
        return None
    model = _inspect(entry, True)
    if model.file is None:
        raise ModelError(model.problem)
    return model.file


def active_server() -> Server | None:
    """The model server in use; ``None`` where there is none."""
    return _read().server


def use_server(server: Server) -> None:
    """Make a served model the active one."""
    _write(_read().model_copy(update={"server": server}))


def use_none() -> None:
    """Use no model of the hospital's own; what is recorded stays recorded."""
    _write(_read().model_copy(update={"server": None, "active": None}))


def load_active(
    *, context: int | None = None, progress: Callable[[float], None] | None = None
) -> LlamaWorker | None:
    """A worker for the model in use, loaded; ``None`` where none was chosen.

    Args:
        context: tokens for prompt and answer together; by default what the file states, at most 8192.
        progress: called with the share that is done: the content is hashed, then loaded.

    Raises:
        ModelError: the file is missing, damaged, altered or cannot be loaded.
    """
    file = active()
    if file is None:
        return None
    worker = LlamaWorker(file, context=context)
    worker.load(progress)
    return worker


def use(path: Path, progress: Progress | None = None) -> ModelFile:
    """Check a GGUF file, record its SHA-256 and make it the active model.

    Naming a file again records it anew: this is how a change on purpose is approved.

    Raises:
        ModelError: it is not a whole GGUF file of one part.
    """
    path = path.expanduser().resolve()
    file = gguf.read(path)
    file = replace(file, sha256=gguf.sha256_of(path, progress))
    _record(file, activate=True)
    return file


def pull(name: str, progress: Progress | None = None, *, hub: str | None = None) -> ModelFile:
    """Fetch a recommended model and record its SHA-256; verify it where it is here already.

    The model becomes active if none was.

    Args:
        name: of a model in the registry.
        progress: called with bytes that are here and bytes in all.
        hub: address of a hub or mirror, instead of ``$CHARTROOM_HUB``.

    Raises:
        ModelError: it cannot be fetched; or what came is damaged, or differs from what was recorded.
    """
    model = recommended(name)
    folder = home() / "models"
    folder.mkdir(exist_ok=True, mode=0o700)
    target = folder / model.file
    try:
        with FileLock(home() / "pull.lock", timeout=0):
            return _pull(model, target, hub_address(hub), progress)
    except Timeout:
        raise ModelError("Another pull is under way. Wait for it, then pull again.") from None


def _pull(model: Recommended, target: Path, hub: str, progress: Progress | None) -> ModelFile:
    known = _read().entry(target)
    if known is not None and target.exists():
        return gguf.verify(target, known.sha256, progress)
    if not target.exists():
        arriving = target.with_name(target.name + ".part")
        sha256 = download(model, arriving, hub, progress)
        _admit(arriving, target, sha256, known)
    else:
        sha256 = gguf.sha256_of(target, progress)
    file = replace(gguf.read(target), sha256=sha256)
    catalogue = _read()
    _record(file, activate=catalogue.active is None and catalogue.server is None)
    return file


def _admit(arriving: Path, target: Path, sha256: str, known: _Entry | None) -> None:
    """Give a fetched file its name, if it is a model and the one that was recorded."""
    try:
        gguf.read(arriving)
    except ModelError as error:
        arriving.unlink()
        raise ModelError(
            f"What the hub sent for {target.name!r} is no usable model and was deleted ({error}) "
            "Check the address of the hub or mirror."
        ) from error
    if known is not None and known.sha256 != sha256:
        aside = target.with_name(f"{target.stem}.{sha256[:12]}{target.suffix}")
        os.replace(arriving, aside)
        raise ModelError(
            f"The hub now sends another {target.name!r}: SHA-256 {sha256[:12]}… instead of the recorded "
            f"{known.sha256[:12]}…. It is not used; it lies at {aside}. Find out why it changed; then delete "
            f"it, or accept it with `chartroom models use {aside}`."
        )
    os.replace(arriving, target)


def _inspect(entry: _Entry, is_active: bool) -> Installed:
    file = problem = None
    try:
        file = replace(gguf.read(entry.path), sha256=entry.sha256)
        if file.size != entry.size:
            raise ModelError(
                f"The model file {entry.path} has {file.size} bytes; {entry.size} were recorded. Restore it, "
                f"or run `chartroom models use {entry.path}` if you changed it on purpose."
            )
    except ModelError as error:
        file, problem = None, str(error)
    return Installed(entry.path, entry.sha256, entry.size, is_active, file, problem)


def _record(file: ModelFile, *, activate: bool) -> None:
    assert file.sha256 is not None
    catalogue = _read()
    entry = _Entry(path=file.path, sha256=file.sha256, size=file.size)
    others = tuple(one for one in catalogue.models if one.path != file.path)
    kept = {"active": file.path, "server": None} if activate else {}
    _write(catalogue.model_copy(update={"models": (*others, entry), **kept}))


def _list() -> Path:
    return home() / "models.json"


def _read() -> _Catalogue:
    try:
        return _Catalogue.model_validate_json(_list().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _Catalogue()
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise ModelError(
            f"The list of models {_list()} cannot be read ({type(error).__name__}). Move it away and run "
            "`chartroom models use FILE` for each of your models."
        ) from error


def _write(catalogue: _Catalogue) -> None:
    """Replace the list in one step, so that a crash leaves the old one."""
    target = _list()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(catalogue.model_dump(mode="json"), file, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise ModelError(f"The list of models {target} cannot be written: {error.strerror}.") from error
