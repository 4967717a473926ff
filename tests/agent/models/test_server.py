"""A model on a server: only the named address is asked, its answers are held to a schema, nothing leaks."""

import json
import logging
import socket
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from fake_server import FakeServer, serving
from hospital import NOW, small_hospital

from agent import ClinicalAgent
from agent.cli import main
from agent.doctor import language_model
from agent.models.server import ServerModel
from agent.models.server_address import KEY_VARIABLE, Server, server_address
from agent.models.store import active, active_server, use_server
from agent.paths import home
from knowledge.errors import ChartroomError, ConfigError, ModelBusy, ModelError, Stopped

SCHEMA = {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"]}
ASKED = [{"role": "system", "content": "Plan."}, {"role": "user", "content": "SECRET of a record"}]


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with serving(FakeServer(answers=['{"a": 1}'])) as running:
        yield running


@pytest.fixture
def model(fake: FakeServer) -> Iterator[ServerModel]:
    opened = ServerModel(Server(url=fake.url, model="ward-8b", timeout_s=5))
    yield opened
    opened.close()


class TestAsking:
    def test_the_answer_is_held_to_the_schema_and_comes_with_its_probability(
        self, fake: FakeServer, model: ServerModel
    ) -> None:
        completion = model.write(ASKED, SCHEMA, 50)
        assert completion.text == '{"a": 1}'
        assert completion.mean_logprob == pytest.approx(-0.1)
        [asked] = fake.asked
        assert asked["response_format"]["type"] == "json_schema"
        assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
        assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("ward-8b", 50, 0)
        assert [message["role"] for message in asked["messages"]] == ["system", "user"]

    def test_a_server_without_probabilities_gives_an_answer_without_confidence(
        self, fake: FakeServer, model: ServerModel
    ) -> None:
        fake.logprob = None
        assert model.write(ASKED, SCHEMA, 50).mean_logprob is None

    def test_an_answer_that_was_cut_is_an_answer(self, fake: FakeServer, model: ServerModel) -> None:
        fake.cut = True
        assert model.write(ASKED, SCHEMA, 50).finish_reason == "length"

    def test_the_key_comes_from_the_environment_and_is_kept_nowhere(
        self, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv(KEY_VARIABLE, "sk-hidden")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
        monkeypatch.setenv("OPENAI_ORG_ID", "org-other")
        caplog.set_level(logging.DEBUG)
        assert main(["models", "use", "--server", fake.url, "--model", "ward-8b"]) == 0
        server = active_server()
        assert server is not None
        opened = ServerModel(server)
        try:
            opened.write(ASKED, SCHEMA, 50)
        finally:
            opened.close()
        [headers] = fake.headers
        assert headers["authorization"] == "Bearer sk-hidden"
        assert "org-other" not in headers.values()
        kept = "".join(p.read_text(errors="replace") for p in home().rglob("*") if p.is_file())
        assert "hidden" not in kept + caplog.text + repr(opened.__dict__)

    def test_neither_questions_nor_answers_are_logged(
        self, fake: FakeServer, model: ServerModel, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        model.write(ASKED, SCHEMA, 50)
        assert "SECRET" not in caplog.text

    def test_a_stopped_question_hangs_up(self, fake: FakeServer, model: ServerModel) -> None:
        fake.silent = True
        with pytest.raises(Stopped):
            model.write(ASKED, SCHEMA, 50, stop=lambda: bool(fake.asked))
        assert fake.hung_up.wait(10)
        fake.silent = False
        assert model.write(ASKED, SCHEMA, 50).text

    def test_characters_beyond_ascii_count_as_a_token_each(self, model: ServerModel) -> None:
        chinese, english = [{"role": "user", "content": "肌" * 30}], [{"role": "user", "content": "a" * 30}]
        assert model.tokens(chinese) - model.tokens(english) == 20


class TestFailing:
    @pytest.mark.parametrize(
        ("settings", "kind", "says"),
        [
            ({"status": 400}, ModelError, "status 400"),
            ({"status": 401}, ModelError, KEY_VARIABLE),
            ({"status": 404}, ModelError, "has no model 'ward-8b'"),
            ({"status": 429}, ModelBusy, "no room"),
            ({"status": 503}, ModelBusy, "no room"),
            ({"status": 500}, ModelError, "status 500"),
            ({"raw": b"<html>SECRET</html>"}, ModelError, "what is no answer"),
            ({"raw": b'{"choices": "SECRET"}'}, ModelError, "what is no answer"),
            ({"raw": b'{"choices": []}'}, ModelError, "what is no answer"),
            ({"location": "http://127.0.0.1:9/v1"}, ModelError, "another address"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_what_goes_wrong_is_said_without_the_question(
        self, settings: dict[str, Any], kind: type, says: str, fake: FakeServer, model: ServerModel
    ) -> None:
        fake.raw = b'{"error": {"message": "cannot take: SECRET of a record"}}'
        if settings.get("status") is None:
            fake.raw = None
        for name, value in settings.items():
            setattr(fake, name, value)
        with pytest.raises(kind, match=says) as caught:
            model.write(ASKED, SCHEMA, 50)
        assert "SECRET" not in "".join(traceback.format_exception(caught.value))

    def test_a_slow_server_is_waited_for_no_longer_than_was_said(self, fake: FakeServer) -> None:
        fake.silent = True
        slow = ServerModel(Server(url=fake.url, model="ward-8b", timeout_s=0.2))
        try:
            with pytest.raises(ModelError, match=r"within 0\.2 s"):
                slow.write(ASKED, SCHEMA, 50)
        finally:
            slow.close()

    def test_a_server_that_does_not_run_cannot_be_reached(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        gone = ServerModel(Server(url=f"http://127.0.0.1:{port}/v1", model="ward-8b"))
        try:
            with pytest.raises(ModelError, match="cannot be reached"):
                gone.served()
        finally:
            gone.close()


class TestAddress:
    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("ftp://127.0.0.1/v1", "no http or https"),
            ("127.0.0.1:8000", "no http or https"),
            ("file:///etc/passwd", "no http or https"),
            ("http://me:secret@127.0.0.1/v1", "no password"),
            ("http://127.0.0.1/v1?key=secret", "no password"),
            ("http://8.8.8.8/v1", "leave the hospital"),
            ("http://[2001:4860:4860::8888]/v1", "leave the hospital"),
            ("http://[::ffff:8.8.8.8]/v1", "leave the hospital"),
        ],
    )
    def test_only_private_http_addresses_without_secrets_are_taken(self, url: str, says: str) -> None:
        with pytest.raises(ConfigError, match=says) as caught:
            server_address(url)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "100.64.1.1", "[fd00::1]", "[::1]"]
    )
    def test_a_private_address_is_taken_as_it_is(self, host: str) -> None:
        assert server_address(f"http://{host}:8000/v1/") == f"http://{host}:8000/v1"

    def test_a_public_one_has_to_be_asked_for(self) -> None:
        assert server_address("https://8.8.8.8/v1", public=True) == "https://8.8.8.8/v1"

    def test_a_name_that_leads_elsewhere_later_is_not_followed(
        self, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        port = int(fake.url.rsplit(":", 1)[1].split("/")[0])
        leads_to = ["127.0.0.1"]
        found = socket.getaddrinfo

        def lookup(host: str, *given: Any, **named: Any) -> Any:
            return found(leads_to[0] if host == "models.ward" else host, *given, **named)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        named = ServerModel(Server(url=f"http://models.ward:{port}/v1", model="ward-8b"))
        assert named.write(ASKED, SCHEMA, 50).text
        leads_to[0] = "8.8.8.8"
        try:
            with pytest.raises(ChartroomError, match="public address"):
                named.write(ASKED, SCHEMA, 50)
        finally:
            named.close()
        assert len(fake.asked) == 1

    def test_no_proxy_of_the_environment_sees_the_question(
        self, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(FakeServer()) as proxy:
            for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OPENAI_PROXY"):
                monkeypatch.setenv(variable, proxy.url.removesuffix("/v1"))
            monkeypatch.setenv("OPENAI_BASE_URL", proxy.url)
            direct = ServerModel(Server(url=fake.url, model="ward-8b"))
            try:
                direct.write(ASKED, SCHEMA, 50)
            finally:
                direct.close()
            assert not proxy.asked


class TestChoosing:
    def test_the_server_is_checked_and_its_context_recorded(
        self, fake: FakeServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["models", "use", "--server", fake.url, "--model", "ward-8b"]) == 0
        assert active_server() == Server(url=fake.url, model="ward-8b", context=6000)
        assert "ward-8b" in language_model().found
        assert main(["models", "list", "--json"]) == 0
        said = capsys.readouterr().out
        assert json.loads(said[said.index("{") :])["server"]["model"] == "ward-8b"
        assert not fake.asked, "no question was asked"

    def test_a_model_that_is_not_served_is_refused_and_the_others_named(
        self, fake: FakeServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["models", "use", "--server", fake.url, "--model", "other"]) == 1
        assert "It serves ward-8b" in capsys.readouterr().err
        assert active_server() is None

    @pytest.mark.parametrize(
        "flags",
        [[], ["--model", "m"], ["--server", "http://127.0.0.1/v1"], ["x.gguf", "--none"]],
    )
    def test_what_is_to_be_used_must_be_clear(self, flags: list[str]) -> None:
        assert main(["models", "use", *flags]) == 2

    def test_a_file_takes_the_place_of_the_server_and_none_of_both(
        self, fake: FakeServer, tiny_gguf: Any
    ) -> None:
        use_server(Server(url=fake.url, model="ward-8b"))
        assert active() is None
        assert main(["models", "use", str(tiny_gguf)]) == 0
        assert active_server() is None
        assert active() is not None
        use_server(Server(url=fake.url, model="ward-8b"))
        assert main(["models", "use", "--none"]) == 0
        assert (active(), active_server()) == (None, None)


def test_a_question_is_planned_by_the_served_model(fake: FakeServer, tmp_path: Any) -> None:
    plan = {"action": "query_records", "who": "patient", "domain": "diagnosis", "ask": {"ask": "count"}}
    fake.answers = [json.dumps({**plan, "values": [7]}), json.dumps(plan)]
    use_server(Server(url=fake.url, model="ward-8b"))
    store = small_hospital(tmp_path / "small.sqlite")
    assert main(["index", "--store", str(store.path), "--keywords-only"]) == 0
    with ClinicalAgent.open(store, now=NOW) as agent:
        answer = agent.ask("How many diagnoses does she have?", patient=1)
    assert answer.status == "answered"
    assert answer.model is not None
    assert answer.model.name.startswith("ward-8b at 127.0.0.1")
    first, second = fake.asked
    assert first["response_format"] == second["response_format"]
    assert "There is no value 7" in second["messages"][-1]["content"]
