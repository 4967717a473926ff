"""Reads a file, plain or gzip, as far as it is worth: a small gzip file may unpack to fill memory and disk."""

import gzip
import io
from typing import BinaryIO

from knowledge.errors import ImportFailure

_ALWAYS = 64 << 20
_RATIO = 100
"""Text packs to a tenth, repetitive tables to a fiftieth of their size; a thousandth is a bomb."""


def unpacked(raw: BinaryIO, packed: bool) -> io.BufferedIOBase | BinaryIO:
    """The content of an opened file.

    Args:
        raw: the file, at its beginning.
        packed: it is gzip. Reading then raises ``ImportFailure`` where more comes out than such a file can hold.
    """
    if not packed:
        return raw
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    return _Bounded(gzip.GzipFile(fileobj=raw), max(_ALWAYS, _RATIO * size))


class _Bounded(io.BufferedIOBase):
    """A stream that refuses to give more than a number of bytes."""

    def __init__(self, stream: gzip.GzipFile, most: int) -> None:
        self._stream = stream
        self._most = most
        self._given = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """At most so many bytes, or all that are left."""
        if size is None or size < 0:
            size = self._most - self._given + 1
        return self._counted(self._stream.read(size))

    def read1(self, size: int = -1, /) -> bytes:
        """At most so many bytes, in one go."""
        return self._counted(self._stream.read1(size))

    def close(self) -> None:
        """Close the stream below, too."""
        self._stream.close()
        super().close()

    def _counted(self, data: bytes) -> bytes:
        self._given += len(data)
        if self._given > self._most:
            raise ImportFailure(
                f"A gzip file that unpacks to more than {self._most >> 20} MB is no text. "
                "Look what it is; if it is right, unpack it and import that."
            )
        return data
