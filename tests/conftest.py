"""What all tests share: private folders, no surprises from the machine, the public data sets where present."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a Chartroom folder of its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CHARTROOM_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The public data sets that tests and benchmarks read; skips where they are not at hand."""
    folder = Path(os.environ.get("CHARTROOM_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public data sets are not at {folder}; set CHARTROOM_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real GGUF model of half a megabyte with random weights. Do not change the file; copy it."""
    from tiny_gguf import build_tiny_gguf

    return build_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")
