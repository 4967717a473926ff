"""Where Chartroom keeps its own files, and where a store's indexes lie."""

import hashlib
import os
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path

from knowledge.errors import ConfigError


def home() -> Path:
    """The private folder of this installation: ``$CHARTROOM_HOME`` or the platform's data folder.

    Raises:
        ConfigError: it cannot be made or written.
    """
    path = Path(os.environ.get("CHARTROOM_HOME") or user_data_path("chartroom"))
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"Chartroom cannot write its folder {path}: {error.strerror}. Set CHARTROOM_HOME to one it can."
        ) from error
    if not os.access(path, os.W_OK):
        raise ConfigError(f"Chartroom cannot write its folder {path}. Set CHARTROOM_HOME to one it can.")
    return path


def embedding_model() -> Path | None:
    """The folder of the embedding model: ``$CHARTROOM_EMBEDDING_MODEL``, or ``None`` for the bundled MiniLM.

    Raises:
        ConfigError: the folder is not there.
    """
    named = os.environ.get("CHARTROOM_EMBEDDING_MODEL")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise ConfigError(
            f"CHARTROOM_EMBEDDING_MODEL names {named!r}, which is no folder; "
            "give a model in the sentence-transformers layout, or unset it for the bundled one."
        )
    return folder


def reranker() -> Path | None:
    """The folder of a cross-encoder that orders search hits anew: ``$CHARTROOM_RERANKER``; ``None`` for none."""
    named = os.environ.get("CHARTROOM_RERANKER")
    return Path(named) if named else None


def planner_choice() -> Literal["bundled", "catalogue"]:
    """Which planner runs where no other model was chosen: ``$CHARTROOM_PLANNER``, the bundled one by default.

    Raises:
        ConfigError: it names no planner.
    """
    named = os.environ.get("CHARTROOM_PLANNER") or "bundled"
    if named not in ("bundled", "catalogue"):
        raise ConfigError(f"CHARTROOM_PLANNER names {named!r}; give 'bundled' or 'catalogue', or unset it.")
    return named


def index_folder(store: Path) -> Path:
    """The folder of a store's indexes: beside it (``x.sqlite`` → ``x.index``), or in ``home`` if that is read-only."""
    beside = store.with_suffix(".index")
    if beside.is_dir() or os.access(store.parent, os.W_OK):
        return beside
    return home() / "indexes" / hashlib.sha256(str(store.resolve()).encode()).hexdigest()[:16]


def knowledge_graph_folder() -> Path:
    """The folder of the knowledge graph, for ``knowledge.graph.ensure``."""
    return home() / "knowledge" / "graph"
