"""Keeps trained arrays in the private folder, so that only the first start after a change trains.

The file is named by a SHA-256 of everything that the arrays are made from: the data files and the code of
this package. It is a plain ``.npz`` that is read without pickle and holds a SHA-256 of its arrays; a file that
does not match is made anew.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.paths import home
from knowledge.errors import ConfigError

Arrays = Mapping[str, NDArray[np.generic]]
_DIGEST = "sha256"


def cached(make: Callable[[], Arrays]) -> Arrays:
    """The arrays that were made last from this version of the package, or else made now and kept.

    Where nothing can be written, they are made each time.
    """
    try:
        folder = home() / "cache"
    except ConfigError:
        return make()
    path = folder / f"planner-{_version()[:32]}.npz"
    arrays = read(path)
    if arrays is None:
        arrays = make()
        with suppress(OSError):
            folder.mkdir(exist_ok=True, mode=0o700)
            write(path, arrays)
            for old in folder.glob("planner-*.npz"):
                if old != path:
                    old.unlink(missing_ok=True)
    return arrays


def write(path: Path, arrays: Arrays) -> None:
    """Write arrays so that a reader finds either all of them or the file that was there before."""
    digest = np.frombuffer(_digest(arrays), dtype=np.uint8)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, allow_pickle=False, **{**arrays, _DIGEST: digest})
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)


def read(path: Path) -> Arrays | None:
    """The arrays of a file; ``None`` if there is none or not every byte is as it was written."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    digest = arrays.pop(_DIGEST, None)
    return arrays if digest is not None and digest.tobytes() == _digest(arrays) else None


def _digest(arrays: Arrays) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.digest()


def _version() -> str:
    """A SHA-256 of the package's data files and code."""
    folder = Path(__file__).parent
    digest = hashlib.sha256(np.__version__.encode())
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".yaml"}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
