"""Models come from a hub or a folder, are recorded by SHA-256, and are refused when they change."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_gguf import build_tiny_gguf

from agent.models import pull as pulling
from agent.models import store
from agent.models.gguf import sha256_of
from agent.models.job import Request
from agent.models.registry import registry
from knowledge.errors import ConfigError, ModelError

MODEL = registry()[0]
PATH = f"/{MODEL.repository}/resolve/main/{MODEL.file}"


class Hub(ThreadingHTTPServer):
    """A hub on this machine: ``cuts`` connections break in the middle, ``ranges`` were asked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.cuts = 0
        self.knows_ranges = True
        self.status = 200
        self.ranges: list[str | None] = []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that gives up is no news


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub, asked = self.server, self.headers.get("range")
        if self.path == PATH:  # as the public hub does: on to where the files lie
            self._head(302, location="/storage/file")
        elif self.path != "/storage/file" or hub.status != 200:
            self._head(404 if hub.status == 200 else hub.status)
        else:
            hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and hub.knows_ranges else 0
            size = len(hub.content)
            if start >= size:
                self._head(416, **{"content-range": f"bytes */{size}"})
                return
            body = hub.content[start:]
            partial = {"content-range": f"bytes {start}-{size - 1}/{size}"} if start else {}
            self._head(206 if start else 200, length=len(body), **partial)
            if hub.cuts:
                hub.cuts -= 1
                body = body[: len(body) // 2]
            self.wfile.write(body)
        self.close_connection = True

    def _head(self, code: int, length: int = 0, **headers: str) -> None:
        self.send_response(code)
        self.send_header("content-length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(tiny_gguf.read_bytes()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("CHARTROOM_HUB", server.address)
        yield server
        server.shutdown()
        thread.join()


def test_the_registry_has_a_model_for_every_machine_with_its_sources() -> None:
    assert {model.machine for model in registry()} == {"laptop", "workstation", "gpu"}
    assert len({model.name for model in registry()}) == len(registry())
    for model in registry():
        assert set(model.languages) == {"en", "zh"}
        assert all(source.startswith("https://") for source in model.source)
        assert model.memory_gb > model.bytes / 1e9


def test_a_pulled_model_is_recorded_active_and_runs(hub: Hub, tiny_gguf: Path, private_home: Path) -> None:
    seen: list[tuple[int, int]] = []
    file = store.pull(MODEL.name, lambda here, size: seen.append((here, size)))
    assert file.path == private_home / "models" / MODEL.file
    assert file.sha256 == sha256_of(tiny_gguf)
    assert seen[-1] == (file.size, file.size)
    assert store.active() == file
    worker = store.load_active()
    assert worker is not None
    with worker:
        assert worker.complete(Request("患者", max_tokens=3)).tokens
    assert [path.name for path in file.path.parent.iterdir()] == [MODEL.file]


def test_a_cut_connection_is_taken_up_where_it_broke(hub: Hub, tiny_gguf: Path) -> None:
    hub.cuts = 2
    file = store.pull(MODEL.name)
    size = file.size
    assert file.sha256 == sha256_of(tiny_gguf)
    assert hub.ranges == [None, f"bytes={size // 2}-", f"bytes={size // 2 + (size - size // 2) // 2}-"]


def test_a_later_pull_goes_on_from_what_an_earlier_one_left(
    hub: Hub, tiny_gguf: Path, private_home: Path
) -> None:
    part = private_home / "models" / f"{MODEL.file}.part"
    part.parent.mkdir()
    part.write_bytes(tiny_gguf.read_bytes()[:1000])
    assert store.pull(MODEL.name).sha256 == sha256_of(tiny_gguf)
    assert hub.ranges == ["bytes=1000-"]


def test_a_part_that_was_whole_already_is_not_fetched_again(
    hub: Hub, tiny_gguf: Path, private_home: Path
) -> None:
    part = private_home / "models" / f"{MODEL.file}.part"
    part.parent.mkdir()
    part.write_bytes(tiny_gguf.read_bytes())
    assert store.pull(MODEL.name).sha256 == sha256_of(tiny_gguf)


def test_a_hub_without_ranges_starts_over_and_still_ends_right(hub: Hub, tiny_gguf: Path) -> None:
    hub.knows_ranges, hub.cuts = False, 1
    assert store.pull(MODEL.name).sha256 == sha256_of(tiny_gguf)


def test_a_hub_that_keeps_breaking_is_given_up_with_the_remedy(
    hub: Hub, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.content = hub.content[:1]  # half of one byte is none: no progress
    hub.cuts = 99
    with pytest.raises(ModelError, match="Run the same command again"):
        store.pull(MODEL.name)
    assert store.active() is None


def test_two_pulls_at_once_do_not_write_into_each_other(hub: Hub) -> None:
    outcomes: list[str] = []

    def meanwhile(_here: int, _all: int) -> None:
        if not outcomes:
            with pytest.raises(ModelError, match="Another pull"):
                store.pull(MODEL.name)
            outcomes.append("refused")

    assert store.pull(MODEL.name, meanwhile).sha256
    assert outcomes == ["refused"]


def test_a_second_pull_verifies_and_fetches_nothing(hub: Hub) -> None:
    first = store.pull(MODEL.name)
    assert store.pull(MODEL.name) == first
    assert len(hub.ranges) == 1


def test_a_file_altered_after_the_pull_is_refused_everywhere(hub: Hub) -> None:
    file = store.pull(MODEL.name)
    data = bytearray(file.path.read_bytes())
    data[-2000] ^= 4
    file.path.write_bytes(data)
    with pytest.raises(ModelError, match=r"SHA-256.*Delete it and pull it again"):
        store.pull(MODEL.name)
    with pytest.raises(ModelError, match="SHA-256"):
        store.load_active()
    file.path.unlink()
    assert store.pull(MODEL.name) == file  # the remedy works


def test_another_file_under_the_same_name_is_set_aside(hub: Hub, tmp_path: Path) -> None:
    file = store.pull(MODEL.name)
    file.path.unlink()
    hub.content = build_tiny_gguf(tmp_path / "other.gguf", seed=8).read_bytes()
    with pytest.raises(ModelError, match=r"another .*chartroom models use"):
        store.pull(MODEL.name)
    assert not file.path.exists()
    (aside,) = file.path.parent.iterdir()
    assert store.use(aside).sha256 == sha256_of(tmp_path / "other.gguf")  # the way to accept it


@pytest.mark.parametrize("content", [b"<html>Please log in</html>" * 40, b"GGUF" + bytes(500)])
def test_what_is_no_model_is_deleted_and_not_recorded(hub: Hub, private_home: Path, content: bytes) -> None:
    hub.content = content
    with pytest.raises(ModelError, match="no usable model"):
        store.pull(MODEL.name)
    assert list((private_home / "models").iterdir()) == []
    assert store.installed() == ()


@pytest.mark.parametrize(
    ("status", "says"), [(404, "does not have it"), (401, "login"), (403, "login"), (503, "try again later")]
)
def test_a_refusal_of_the_hub_is_explained(hub: Hub, status: int, says: str) -> None:
    hub.status = status
    with pytest.raises(ModelError, match=rf"answered {status} .*{says}"):
        store.pull(MODEL.name)


def test_a_full_disk_is_noticed_before_it_is_full(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    with pytest.raises(ModelError, match=r"lacks 0\.3 GB"):
        store.pull(MODEL.name)


def test_no_hub_at_the_address_is_a_clear_error(hub: Hub) -> None:
    hub.shutdown()
    hub.server_close()
    with pytest.raises(ModelError, match=r"127\.0\.0\.1.* cannot be reached .*CHARTROOM_HUB"):
        store.pull(MODEL.name)


@pytest.mark.parametrize("address", ["ftp://mirror", "mirror.local/models", "http://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="CHARTROOM_HUB"):
        store.pull(MODEL.name, hub=address)


def test_the_flag_wins_over_the_environment(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARTROOM_HUB", "http://127.0.0.1:9")
    assert store.pull(MODEL.name, hub=hub.address + "/").sha256


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match=MODEL.name):
        store.pull("gpt-9")


def test_a_file_of_ones_own_stays_where_it_is_and_becomes_active(tmp_path: Path) -> None:
    first, second = (build_tiny_gguf(tmp_path / f"{seed}.gguf", seed=seed) for seed in (1, 2))
    store.use(first)
    store.use(second)
    assert [(model.path, model.active) for model in store.installed()] == [(first, False), (second, True)]
    store.use(first)
    active = store.active()
    assert active is not None
    assert active.path == first
    assert len(store.installed()) == 2


def test_a_damaged_file_is_neither_recorded_nor_made_active(tiny_gguf: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.gguf"
    good.write_bytes(tiny_gguf.read_bytes())
    store.use(good)
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(tiny_gguf.read_bytes()[:-100])
    with pytest.raises(ModelError, match="truncated"):
        store.use(bad)
    active = store.active()
    assert active is not None
    assert active.path == good


def test_a_model_that_vanished_is_listed_with_its_problem(tiny_gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "gone.gguf"
    path.write_bytes(tiny_gguf.read_bytes())
    store.use(path)
    path.unlink()
    (model,) = store.installed()
    assert model.file is None
    assert model.problem is not None
    assert "gone.gguf" in model.problem
    with pytest.raises(ModelError, match=r"gone\.gguf"):
        store.active()


def test_without_a_model_there_is_none() -> None:
    assert store.installed() == ()
    assert store.active() is None
    assert store.load_active() is None


def test_a_damaged_list_is_named_not_overwritten(private_home: Path, tiny_gguf: Path) -> None:
    listing = private_home / "models.json"
    listing.write_text("{broken", encoding="utf-8")
    with pytest.raises(ModelError, match=r"models\.json"):
        store.use(tiny_gguf)
    assert listing.read_text(encoding="utf-8") == "{broken"


def test_the_list_is_replaced_whole(private_home: Path, tiny_gguf: Path) -> None:
    store.use(tiny_gguf)
    assert json.loads((private_home / "models.json").read_text(encoding="utf-8"))["active"] == str(tiny_gguf)
    assert [path.name for path in private_home.iterdir()] == ["models.json"]
