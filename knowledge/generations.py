"""Keeps an index usable while the next one is made: numbered folders and a pointer that switches at once.

::

    notes/
      build.lock
      current          "gen-0007 <sha256 of its manifest>"
      gen-0007/        files and manifest.json
      gen-0008/        a build at work, or the rest of a killed one: cleaned at the next build
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.errors import IndexFault
from knowledge.manifest import Manifest, check, seal, write_durably

_POINTER = re.compile(r"(gen-\d{4,}) ([0-9a-f]{64})\n")


@dataclass(slots=True)
class Staging:
    """A generation in the making. Set ``manifest`` to have it take over."""

    folder: Path
    manifest: Manifest | None = None


class Generations:
    """The generations of one index.

    Args:
        folder: holds them; made at the first build.
        repair: the command that builds the index anew, for messages.
    """

    def __init__(self, folder: Path, repair: str) -> None:
        self.folder = folder
        self.repair = repair

    def current(self) -> Path:
        """The folder of the generation in use, not yet checked.

        Raises:
            IndexFault: there is none.
        """
        return self._read_pointer()[0]

    def open(self) -> tuple[Path, Manifest]:
        """The generation in use, every byte checked.

        Raises:
            IndexFault: there is none, or it is not what was written.
        """
        pointed = self._read_pointer()
        try:
            return pointed[0], check(*pointed, self.repair)
        except IndexFault:
            again = self._read_pointer()
            if again == pointed:
                raise
            return again[0], check(
                *again, self.repair
            )  # another took over, and this one was cleaned away, meanwhile

    @contextmanager
    def stage(self, wait: float = 0) -> Iterator[Staging]:
        """Make a new generation under the build lock; it takes over when the block ends with a manifest set.

        Args:
            wait: for another build that is at work, in seconds.

        Raises:
            IndexFault: another build is at work, or the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.folder / "build.lock", timeout=wait):
                yield from self._staged()
        except Timeout as error:
            raise IndexFault(
                f"Another build of the index {self.folder} is at work; wait until it is done."
            ) from error
        except PermissionError as error:
            raise IndexFault(
                f"The index folder {self.folder} cannot be written: {error.strerror}."
            ) from error

    def _staged(self) -> Iterator[Staging]:
        try:
            current = self.current().name
        except IndexFault:
            current = None
        for rest in self.folder.glob("gen-*"):
            if rest.name != current:
                shutil.rmtree(rest, ignore_errors=True)
        number = int(current.removeprefix("gen-")) + 1 if current else 1
        while (self.folder / f"gen-{number:04d}").exists():  # a leftover that another program holds open
            number += 1
        staging = Staging(self.folder / f"gen-{number:04d}")
        staging.folder.mkdir(mode=0o700)
        try:
            yield staging
        except BaseException:
            shutil.rmtree(staging.folder, ignore_errors=True)
            raise
        if staging.manifest is None:
            shutil.rmtree(staging.folder, ignore_errors=True)
            return
        sha256 = seal(staging.folder, staging.manifest)
        write_durably(self.folder / "current", f"{staging.folder.name} {sha256}\n")
        if current:
            # Readers that have it open keep their files; where that is not so, the next build cleans up.
            shutil.rmtree(self.folder / current, ignore_errors=True)

    def _read_pointer(self) -> tuple[Path, str]:
        try:
            match = _POINTER.fullmatch((self.folder / "current").read_text(encoding="ascii"))
        except FileNotFoundError:
            raise IndexFault(f"There is no index at {self.folder}. Build it with: {self.repair}") from None
        except (OSError, UnicodeDecodeError):
            match = None
        if match is None:
            raise IndexFault(
                f"The pointer of the index {self.folder} cannot be read. Build it anew with: {self.repair}"
            )
        return self.folder / match[1], match[2]
