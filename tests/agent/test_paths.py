"""Chartroom's own folders: private, where they are told to be, and a clear sentence where that cannot be."""

import os
from pathlib import Path

import pytest

from agent.paths import embedding_model, home, index_folder
from knowledge.errors import ConfigError


def test_home_is_where_it_is_told_to_be_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTROOM_HOME", str(tmp_path / "mine"))
    assert home() == tmp_path / "mine"
    assert home().stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_made_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CHARTROOM_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ConfigError, match="CHARTROOM_HOME"):
        home()


def test_indexes_lie_beside_the_store(tmp_path: Path) -> None:
    assert index_folder(tmp_path / "ward.sqlite") == tmp_path / "ward.index"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_indexes_of_a_store_in_a_read_only_folder_lie_at_home(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert home() in index_folder(tmp_path / "ward.sqlite").parents


def test_the_embedding_model_is_the_bundled_one_unless_a_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHARTROOM_EMBEDDING_MODEL", raising=False)
    assert embedding_model() is None
    monkeypatch.setenv("CHARTROOM_EMBEDDING_MODEL", str(tmp_path))
    assert embedding_model() == tmp_path
    monkeypatch.setenv("CHARTROOM_EMBEDDING_MODEL", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="CHARTROOM_EMBEDDING_MODEL"):
        embedding_model()
