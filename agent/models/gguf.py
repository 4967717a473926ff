"""Checks a GGUF file before llama.cpp sees it, and reads what the file says about itself.

llama.cpp is C++ that trusts the file more than a hospital should: here a foreign, truncated, padded or
altered file is refused with a sentence. The header is read within limits, so a hostile one cannot ask for
memory. Sizes of tensor types come from the ``gguf`` package, which is released together with llama.cpp; its
own reader is not used, because it builds an object per vocabulary entry and checks no bounds.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import hashlib
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from knowledge.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
# Far above every published model, far below what would hurt.
_MAX_TENSORS, _MAX_KEYS, _MAX_ARRAY, _MAX_STRING = 100_000, 10_000, 4_000_000, 16 << 20
_CHUNK = 4 << 20
_SCALARS = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """What a checked GGUF file says about itself.

    Attributes:
        path: where it lies.
        name: ``general.name``, or the file's name.
        architecture: the family of networks, such as ``qwen3``.
        context_length: tokens that the model was trained to take at once.
        chat_template: the Jinja source that turns messages into a prompt; untrusted data.
        parameters: number of weights.
        size: bytes.
        cache_bytes: bytes that each token of context takes in memory; ``None`` where the file leaves it open.
        sha256: of the whole file; ``None`` where it has not been computed.
    """

    path: Path
    name: str
    architecture: str
    context_length: int
    chat_template: str | None
    parameters: int
    size: int
    cache_bytes: int | None
    sha256: str | None = None

    def memory(self, context: int) -> int:
        """Bytes of memory, roughly, that the model needs with this context."""
        return self.size + context * (self.cache_bytes or 0) + (256 << 20)  # buffers for computing


def read(path: Path) -> ModelFile:
    """Check a file's structure and read its metadata; its content is not hashed.

    Raises:
        ModelError: it is missing, no GGUF, of another version, one part of many, or shorter or longer than
            its table of tensors says.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _Header(path, file, size).model_file()
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read: {error.strerror}.") from error


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """SHA-256 of a file as hexadecimal text.

    Raises:
        ModelError: it cannot be read.
    """
    digest, done = hashlib.sha256(), 0
    try:
        size = path.stat().st_size
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, size)
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def verify(path: Path, sha256: str, progress: Progress | None = None) -> ModelFile:
    """Check structure and content.

    Raises:
        ModelError: see ``read``; or the content is not what was recorded.
    """
    file = read(path)
    found = sha256_of(path, progress)
    if found != sha256:
        raise ModelError(
            f"The model file {path} is not the one that was recorded: SHA-256 {found[:12]}… instead of "
            f"{sha256[:12]}…. Delete it and pull it again; or, if you changed it on purpose, run "
            f"`chartroom models use {path}`."
        )
    return replace(file, sha256=sha256)


class _Header:
    """Reads the header from start to end, once, never past the end of the file."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path, self._file, self._size = path, file, size
        if self._bytes(4) != MAGIC:
            raise ModelError(f"{path} is no GGUF file. Chartroom runs models in that format only.")
        version = self._number("<I")
        if version not in VERSIONS:
            raise ModelError(
                f"{path} is GGUF of version {version}; versions {VERSIONS[0]} and {VERSIONS[1]}, little "
                "endian, can be read. Convert it again with a current llama.cpp."
            )
        tensors = self._count(_MAX_TENSORS, "tensors", "<Q")
        keys = self._count(_MAX_KEYS, "keys", "<Q")
        self.metadata: dict[str, Any] = {}
        for _ in range(keys):
            key = self._string()
            self.metadata[key] = self._value(self._type())
        self.parameters, extent = self._tensors(tensors)
        self._check_extent(extent)

    def model_file(self) -> ModelFile:
        parts = self.metadata.get("split.count", 1)
        if parts != 1:
            raise ModelError(
                f"{self._path} is one of {parts} parts. Merge them with `llama-gguf-split --merge` first."
            )
        architecture = self._text("general.architecture")
        if architecture is None:
            raise self._broken("it names no architecture")
        context = self.metadata.get(f"{architecture}.context_length")
        if not isinstance(context, int) or isinstance(context, bool) or context < 1:
            raise self._broken("it states no context length")
        return ModelFile(
            path=self._path,
            name=self._text("general.name") or self._path.stem,
            architecture=architecture,
            context_length=context,
            chat_template=self._text("tokenizer.chat_template"),
            parameters=self.parameters,
            size=self._size,
            cache_bytes=self._cache_bytes(architecture),
        )

    def _cache_bytes(self, architecture: str) -> int | None:
        """Keys and values of one token over all layers, two bytes a number."""

        def number(key: str) -> int | None:
            value = self.metadata.get(f"{architecture}.{key}")
            return value if isinstance(value, int) and value > 0 else None

        layers, heads = number("block_count"), number("attention.head_count")
        grouped, width = number("attention.head_count_kv") or heads, number("embedding_length")
        if not (layers and heads and grouped and width):
            return None
        head_width = number("attention.key_length") or width // heads
        return 2 * 2 * layers * grouped * head_width

    def _tensors(self, count: int) -> tuple[int, int]:
        """Number of weights, and how many bytes after the header they take."""
        parameters = extent = 0
        for _ in range(count):
            name = self._string()
            dimensions = self._count(4, f"dimensions of {name!r}", "<I")
            shape = [self._number("<Q") for _ in range(dimensions)]
            kind, offset = self._number("<I"), self._number("<Q")
            try:
                block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
            except (ValueError, KeyError):
                raise self._broken(f"tensor {name!r} has the unknown type {kind}") from None
            elements = math.prod(shape)
            if not shape or elements == 0 or shape[0] % block:
                raise self._broken(f"tensor {name!r} has an impossible shape")
            parameters += elements
            extent = max(extent, offset + elements // block * block_bytes)
        return parameters, extent

    def _check_extent(self, extent: int) -> None:
        alignment = self.metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20:
            raise self._broken("its alignment is impossible")
        start = -(-self._file.tell() // alignment) * alignment
        if self._size < start + extent:
            raise self._broken(f"it is truncated, {start + extent - self._size} bytes are missing")
        if self._size >= start + extent + alignment:
            raise self._broken(f"{self._size - start - extent} bytes too many follow its tensors")

    def _text(self, key: str) -> str | None:
        value = self.metadata.get(key)
        return value if isinstance(value, str) and value else None

    def _value(self, kind: GGUFValueType) -> Any:
        if kind is GGUFValueType.STRING:
            return self._string()
        if kind is not GGUFValueType.ARRAY:
            return self._number(_SCALARS[kind])
        kind = self._type()
        count = self._count(_MAX_ARRAY, "array entries", "<Q")
        if kind is GGUFValueType.ARRAY:
            raise self._broken("it nests arrays")
        # Arrays are vocabularies: stepped over, not kept.
        if kind is GGUFValueType.STRING:
            for _ in range(count):
                self._skip(self._count(_MAX_STRING, "characters", "<Q"))
        else:
            self._skip(count * struct.calcsize(_SCALARS[kind]))
        return None

    def _type(self) -> GGUFValueType:
        kind = self._number("<I")
        try:
            return GGUFValueType(kind)
        except ValueError:
            raise self._broken(f"it uses the unknown value type {kind}") from None

    def _string(self) -> str:
        return self._bytes(self._count(_MAX_STRING, "characters", "<Q")).decode("utf-8", errors="replace")

    def _count(self, limit: int, of: str, form: str) -> int:
        count = self._number(form)
        if count > limit:
            raise self._broken(f"it claims {count} {of}")
        return count

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._bytes(struct.calcsize(form)))[0]

    def _skip(self, count: int) -> None:
        if self._file.tell() + count > self._size:
            raise self._broken("it is truncated within its header")
        self._file.seek(count, 1)

    def _bytes(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise self._broken("it is truncated within its header")
        return data

    def _broken(self, why: str) -> ModelError:
        return ModelError(f"The model file {self._path} is damaged: {why}. Delete it and get it again.")
