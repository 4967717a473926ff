"""A model file is checked before llama.cpp sees it."""

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_gguf import CHAT_TEMPLATE, build_tiny_gguf

from agent.models.gguf import read, sha256_of, verify
from knowledge.errors import ModelError


def _altered(tiny_gguf: Path, tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "altered.gguf"
    path.write_bytes(data)
    return path


def test_a_file_says_what_it_is(tiny_gguf: Path) -> None:
    file = read(tiny_gguf)
    assert (file.name, file.architecture, file.context_length) == ("tiny", "llama", 1024)
    assert file.chat_template == CHAT_TEMPLATE
    assert file.size == tiny_gguf.stat().st_size
    assert 100_000 < file.parameters < 200_000
    assert file.cache_bytes == 2 * 2 * 2 * 64  # keys and values, two bytes, two layers, 64 numbers
    assert file.memory(1000) - file.memory(0) == 1000 * file.cache_bytes


def test_the_same_arguments_build_the_same_file(tiny_gguf: Path, tmp_path: Path) -> None:
    assert build_tiny_gguf(tmp_path / "again.gguf").read_bytes() == tiny_gguf.read_bytes()


def test_verify_accepts_the_recorded_content_and_tells_progress(tiny_gguf: Path) -> None:
    seen: list[tuple[int, int]] = []
    file = verify(tiny_gguf, sha256_of(tiny_gguf), lambda done, size: seen.append((done, size)))
    assert file.sha256 == sha256_of(tiny_gguf)
    assert seen[-1] == (file.size, file.size)


def test_one_flipped_bit_is_refused(tiny_gguf: Path, tmp_path: Path) -> None:
    data = bytearray(tiny_gguf.read_bytes())
    data[-5000] ^= 1
    with pytest.raises(ModelError, match=r"SHA-256.*models use"):
        verify(_altered(tiny_gguf, tmp_path, data), sha256_of(tiny_gguf))


@pytest.mark.parametrize("keep", [3, 20, 3000, -40_000, -1])
def test_a_truncated_file_is_refused(tiny_gguf: Path, tmp_path: Path, keep: int) -> None:
    with pytest.raises(ModelError, match="truncated"):
        read(_altered(tiny_gguf, tmp_path, tiny_gguf.read_bytes()[:keep]))


def test_bytes_after_the_tensors_are_refused(tiny_gguf: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="too many"):
        read(_altered(tiny_gguf, tmp_path, tiny_gguf.read_bytes() + bytes(64)))


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"PK\3\4" + bytes(100))
    with pytest.raises(ModelError, match="no GGUF"):
        read(path)


def test_another_version_is_refused(tiny_gguf: Path, tmp_path: Path) -> None:
    data = tiny_gguf.read_bytes()
    with pytest.raises(ModelError, match="version 9"):
        read(_altered(tiny_gguf, tmp_path, data[:4] + struct.pack("<I", 9) + data[8:]))


def test_a_header_that_claims_too_much_costs_no_memory(tiny_gguf: Path, tmp_path: Path) -> None:
    data = tiny_gguf.read_bytes()
    with pytest.raises(ModelError, match="claims"):
        read(_altered(tiny_gguf, tmp_path, data[:8] + struct.pack("<Q", 2**62) + data[16:]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.gguf"):
        read(tmp_path / "nothing.gguf")


def test_one_part_of_many_is_refused_with_the_remedy(tmp_path: Path) -> None:
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    key = b"split.count"
    header += struct.pack("<Q", len(key)) + key + struct.pack("<IH", 2, 3)
    path = tmp_path / "part.gguf"
    path.write_bytes(header + bytes(-len(header) % 32))
    with pytest.raises(ModelError, match="gguf-split --merge"):
        read(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 9000), byte=st.integers(0, 255))
def test_a_damaged_header_is_an_error_or_harmless_never_a_crash(
    tiny_gguf: Path, tmp_path: Path, at: int, byte: int
) -> None:
    data = bytearray(tiny_gguf.read_bytes())
    data[at] = byte
    try:
        read(_altered(tiny_gguf, tmp_path, data))
    except ModelError as error:
        assert "altered.gguf" in str(error)
