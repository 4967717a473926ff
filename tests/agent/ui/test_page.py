"""The served page through HTTP: it answers, it keeps its permission, it says nothing to logs or to other sites."""

import json
import logging
import stat
from typing import Any

import httpx
import pytest
from served import HOSTILE, Served

from agent.ui.desk import Desk
from agent.ui.render import TurnView, conversation


class Session:
    """What a browser does to ask: join the queue, read the events."""

    def __init__(self, address: str, name: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=30)
        self.name = name
        config = self.client.get("config").json()
        ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self.submit = next(
            d for d in config["dependencies"] if [ids["cr-ask"], "submit"] in [list(t) for t in d["targets"]]
        )

    def ask(self, question: str, patient: Any) -> dict[str, Any]:
        given = [question, patient, None, None, "en"]  # state is the server's: what is sent for it is ignored
        joined = self.client.post(
            "gradio_api/queue/join",
            json={"data": given, "fn_index": self.submit["id"], "session_hash": self.name},
        )
        joined.raise_for_status()
        last: dict[str, Any] = {}
        with self.client.stream("GET", "gradio_api/queue/data", params={"session_hash": self.name}) as events:
            for line in events.iter_lines():
                if line.startswith("data:"):
                    event = json.loads(line[5:])
                    last = event if event["msg"].startswith("process_") else last
                    if event["msg"] == "process_completed":
                        break
        return last


def desk_answer(served: Served, question: str, patient: int) -> TurnView:
    return list(Desk(served.agent).ask(question, patient, [], "t", "en"))[-1][-1]


def test_a_question_gets_its_answer(served: Served) -> None:
    done = Session(served.address, "asks").ask("What was the latest creatinine?", 1)
    assert done["success"]
    shown = json.dumps(done["output"]["data"], ensure_ascii=False)
    assert "1.9 mg/dL" in shown
    assert "cr-cite" in shown


def test_a_patient_outside_the_permission_is_neither_offered_nor_accepted(served: Served) -> None:
    session = Session(served.address, "forges")
    assert "Mary Example" not in session.client.get("config").text
    done = session.ask("Which diagnoses are recorded?", 3)
    assert not done["success"]
    assert "cr-cite" not in json.dumps(done)


def test_a_forbidden_patient_that_gets_past_the_picker_ends_as_no_permission(served: Served) -> None:
    turn = desk_answer(served, "Which diagnoses are recorded?", 3)
    assert turn.answer is not None
    assert turn.answer.reason == "no_permission"
    assert not turn.answer.evidence


def test_a_session_cannot_send_its_own_state(served: Served) -> None:
    session = Session(served.address, "lies")
    session.ask("What was the latest creatinine?", 1)
    other = Session(served.address, "other").ask("and the potassium?", 1)
    assert "1.9 mg/dL" not in json.dumps(other["output"]["data"], ensure_ascii=False)


@pytest.mark.parametrize("question", ["x" * 50_000, "\x00\x01\x02\x03\x04", "Какой был последний креатинин?"])
def test_a_bad_question_becomes_a_card(served: Served, question: str) -> None:
    turn = desk_answer(served, question, 1)
    assert turn.answer is None
    assert turn.error
    assert 'role="alert"' in conversation([turn], "en")


def test_a_fault_inside_becomes_a_card_and_its_text_stays_out_of_the_log(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError(f"record text: {HOSTILE}")

    monkeypatch.setattr(served.agent, "stream", fails)
    with caplog.at_level(logging.DEBUG):
        turn = desk_answer(served, "What was the latest creatinine?", 1)
    assert turn.error is not None
    assert "ValueError" in turn.error
    assert "ValueError" in caplog.text
    assert "record text" not in turn.error + caplog.text


def test_no_endpoint_is_offered_to_clients(served: Served) -> None:
    info = httpx.get(f"{served.address}gradio_api/info").json()
    assert info["named_endpoints"] == {}
    assert info["unnamed_endpoints"] == {}
    config = httpx.get(f"{served.address}config").json()
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []


def test_files_of_the_records_are_not_served(served: Served) -> None:
    for path in (served.agent.rooms.store.path, served.home / "conversations.sqlite"):
        assert httpx.get(f"{served.address}gradio_api/file={path}").status_code in (403, 404)
    assert stat.S_IMODE((served.home / "gradio").stat().st_mode) == 0o700


def test_another_site_cannot_use_the_page(served: Served) -> None:
    answer = httpx.get(f"{served.address}config", headers={"Origin": "https://elsewhere.example"})
    assert answer.headers.get("access-control-allow-origin") is None


@pytest.mark.parametrize(
    "data", [None, 7, {}, {"turn": 0}, {"turn": -1, "evidence": 1}, {"turn": 0, "evidence": "1"}]
)
def test_a_forged_click_opens_nothing(served: Served, data: object) -> None:
    turn = desk_answer(served, "What was the latest creatinine?", 1)
    assert Desk(served.agent).picked([turn], data) is None
