"""The command line does what it says, tells errors in one sentence, and goes on where it was stopped."""

import json
import socket
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hospital import NOW, small_hospital
from rich.console import Console

from agent.answer import Answer, Claim, NoteEvidence, Result, RowEvidence, Step
from agent.cli import main
from agent.cli.render import render_answer
from agent.events import AnswerReady, Event, StepFinished, Token
from knowledge.errors import QuestionError


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small hospital with keyword indexes."""
    path = tmp_path_factory.mktemp("store") / "small.sqlite"
    small_hospital(path)
    assert main(["index", "--store", str(path), "--keywords-only"]) == 0
    return path


def answer_to(question: str, **fields: Any) -> Answer:
    given: dict[str, Any] = {
        "question": question,
        "language": "en",
        "status": "answered",
        "reason": None,
        "text": "The last creatinine was 1.9 mg/dL [1].",
        "claims": (Claim(text="The last creatinine was 1.9 mg/dL.", evidence=(1,), verified=True),),
        "evidence": (RowEvidence(id=1, table="labevents", row_ids=(3,), values={"valuenum": 1.9}),),
        "sql": "SELECT valuenum FROM labevents",
        "assumptions": (f"now = {NOW}",),
    }
    return Answer(**{**given, **fields})


class StandIn:
    """Answers everything alike, and remembers what it was asked."""

    asked: list[tuple[str, int | None, str | None]] = []  # noqa: RUF012 - reset by the fixture
    stop_at: str | None = None

    @classmethod
    def open(cls, store: Any, **_: Any) -> "StandIn":
        return cls()

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(
        self, question: str, *, patient: int | None = None, conversation: str | None = None, risk: float = 0.0
    ) -> Answer:
        if not question.strip():
            raise QuestionError("The question is empty; ask something.")
        if question == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append((question, patient, conversation))
        return answer_to(question)

    def stream(self, question: str, **given: Any) -> Iterator[Event]:
        yield StepFinished(Step(tool="query_records", input={}, summary="1 row", ms=3))
        answer = self.ask(question, **given)
        yield Token(answer.text)
        yield AnswerReady(answer)

    def forget(self, conversation: str) -> None:
        pass


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    module = ModuleType("agent.agent")
    module.ClinicalAgent = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "agent.agent", module)
    monkeypatch.setattr(StandIn, "asked", [])
    monkeypatch.setattr(StandIn, "stop_at", None)
    return StandIn


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "code", "says"),
        [
            (["ask", "x", "--store", "/nowhere/x.sqlite"], 1, "There is no store at /nowhere/x.sqlite"),
            (["load", "/nowhere", "--store", "/nowhere/x.sqlite"], 1, "There is nothing at /nowhere"),
            (["load", "x"], 2, "--store"),
            (["search", "x", "--mode", "magic"], 2, "no mode"),
            (["search"], 2, "either QUERY"),
            (["ask", "x", "--now", "yesterday"], 2, "no time"),
            (["ask", "x", "--risk", "-1"], 2, "--risk"),
            (["ask", "x", "--patient", "abc"], 2, "--patient"),
            (["models", "pull", "no-such"], 1, "No recommended model"),
            (["models", "use", "/nowhere/m.gguf"], 1, "/nowhere/m.gguf"),
            (["serve", "--language", "fr"], 2, "choose en or zh"),
            (["nonsense"], 2, "No such command"),
        ],
    )
    def test_an_error_is_one_sentence_without_a_traceback(
        self,
        arguments: list[str],
        code: int,
        says: str,
        stand_in: type[StandIn],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert main(arguments) == code
        said = capsys.readouterr()
        assert says in said.err
        assert "Traceback" not in said.err
        assert said.out == ""

    def test_an_occupied_port_is_said_before_anything_starts(
        self, hospital: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert main(["serve", "--store", str(hospital), "--port", str(port)]) == 1
        assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err

    def test_a_source_that_is_missing_leaves_no_store_behind(self, tmp_path: Path) -> None:
        store = tmp_path / "new.sqlite"
        assert main(["load", str(tmp_path / "none"), "--store", str(store)]) == 1
        assert not store.exists()

    def test_ctrl_c_ends_with_130(
        self, hospital: Path, stand_in: type[StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stand_in, "stop_at", "stop")
        assert main(["ask", "stop", "--store", str(hospital)]) == 130


class TestRecords:
    @pytest.fixture
    def export(self, tmp_path: Path) -> Path:
        folder = tmp_path / "notes"
        folder.mkdir()
        (folder / "manifest.csv").write_text(
            "file,patient,type,time\na.txt,1,progress,2025-02-28 09:00:00\n"
            "missing.txt,1,progress,2025-02-28 10:00:00\n",
            encoding="utf-8",
        )
        (folder / "a.txt").write_text("Creatinine falls.", encoding="utf-8")
        return folder

    def test_load_counts_what_became_of_every_row(
        self, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = tmp_path / "s.sqlite"
        small_hospital(store)
        main(["load", str(export), "--store", str(store), "--json"])
        counts = json.loads(capsys.readouterr().out)["counts"]
        assert counts["accepted"] + counts["rejected"] == counts["input"] == 2

    def test_now_belongs_to_a_new_store(
        self, export: Path, hospital: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["load", str(export), "--store", str(hospital), "--now", "2025-01-01"]) == 1
        assert "belong to a new one" in capsys.readouterr().err

    def test_an_index_that_is_up_to_date_is_left_alone(
        self, hospital: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["index", "--store", str(hospital), "--keywords-only", "--json"]) == 0
        done = json.loads(capsys.readouterr().out)
        assert (done["notes"], done["values"]) == ("current", "current")
        assert done["chunks"] > 0

    def test_a_first_build_that_was_killed_is_done_again(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        store = tmp_path / "s.sqlite"
        small_hospital(store)
        for kind in ("notes", "values"):
            (tmp_path / "s.index" / kind).mkdir(parents=True)  # what a kill leaves
        assert main(["index", "--store", str(store), "--keywords-only", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["notes"] == "built"


class TestSearch:
    def test_a_passage_is_what_the_note_says_at_its_offsets(
        self, hospital: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["search", "consolidation", "--store", str(hospital), "--mode", "keyword", "--json"]
        assert main(arguments) == 0
        hits = json.loads(capsys.readouterr().out)
        assert "consolidation" in hits[0]["text"]
        assert hits[0]["subject_id"] == 2

    def test_another_patients_notes_are_not_found(
        self, hospital: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main(
            ["search", "consolidation", "--store", str(hospital), "-m", "keyword", "--patient", "1", "--json"]
        )
        assert all(hit["subject_id"] == 1 for hit in json.loads(capsys.readouterr().out))

    def test_many_queries_come_from_a_file(self, hospital: Path, tmp_path: Path) -> None:
        asked = write_lines(
            tmp_path / "q.jsonl", [{"id": 1, "query": "肌酐"}, {"id": "b", "query": "pneumonia"}]
        )
        out = tmp_path / "out.jsonl"
        arguments = ["--mode", "keyword", "--in", str(asked), "--out", str(out)]
        assert main(["search", "--store", str(hospital), *arguments]) == 0
        lines = read_lines(out)
        assert [line["id"] for line in lines] == [1, "b"]
        assert "肌酐" in lines[0]["hits"][0]["text"]


class TestAsk:
    def test_json_is_the_answer_object(
        self, hospital: Path, stand_in: type[StandIn], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["ask", "latest creatinine?", "--store", str(hospital), "-p", "1", "--json"]) == 0
        assert Answer.model_validate_json(capsys.readouterr().out) == answer_to("latest creatinine?")
        assert stand_in.asked == [("latest creatinine?", 1, None)]

    def test_text_comes_with_its_evidence_and_steps_stay_off_standard_output(
        self, hospital: Path, stand_in: type[StandIn], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["ask", "latest creatinine?", "--store", str(hospital), "--sql"]) == 0
        said = capsys.readouterr()
        assert said.out.count("1.9 mg/dL [1]") == 1
        assert "[1] labevents 3: valuenum 1.9" in said.out
        assert "SELECT valuenum" in said.out
        assert "query_records" in said.err
        assert "query_records" not in said.out

    def test_a_chart_of_an_unknown_form_is_refused_before_anything_is_asked(
        self, hospital: Path, stand_in: type[StandIn], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["ask", "plot creatinine", "--store", str(hospital), "--chart", "chart.gif"]) == 2
        assert ".svg, .png, .html, .json" in capsys.readouterr().err
        assert stand_in.asked == []

    def test_chat_keeps_one_conversation_and_the_open_patient(
        self, hospital: Path, stand_in: type[StandIn], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = iter(["first?", "/patient 2", "second?", "/quit"])
        monkeypatch.setattr("builtins.input", lambda _: next(lines))
        assert main(["chat", "--store", str(hospital)]) == 0
        (first, nobody, one), (second, patient, same) = stand_in.asked
        assert (first, nobody, second, patient) == ("first?", None, "second?", 2)
        assert one == same is not None


class TestBatch:
    @pytest.fixture
    def questions(self, tmp_path: Path) -> Path:
        lines = [
            {"id": "a", "question": "one?", "patient": 1},
            {"id": "b", "question": "two?", "history": ["before?"]},
            {"id": "c", "question": "three?"},
        ]
        return write_lines(tmp_path / "in.jsonl", lines)

    def run(self, questions: Path, out: Path, hospital: Path) -> int:
        return main(["batch", str(questions), str(out), "--store", str(hospital)])

    def test_each_line_is_the_answer_object_with_its_id(
        self, questions: Path, tmp_path: Path, hospital: Path, stand_in: type[StandIn]
    ) -> None:
        out = tmp_path / "out.jsonl"
        assert self.run(questions, out, hospital) == 0
        lines = read_lines(out)
        assert [line.pop("id") for line in lines] == ["a", "b", "c"]
        assert Answer.model_validate(lines[0]) == answer_to("one?")
        assert [(q, bool(c)) for q, _, c in stand_in.asked] == [
            ("one?", False),
            ("before?", True),
            ("two?", True),
            ("three?", False),
        ]

    def test_it_goes_on_after_a_stop_and_mends_a_torn_line(
        self,
        questions: Path,
        tmp_path: Path,
        hospital: Path,
        stand_in: type[StandIn],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        out = tmp_path / "out.jsonl"
        monkeypatch.setattr(stand_in, "stop_at", "three?")
        assert self.run(questions, out, hospital) == 130
        with out.open("a", encoding="utf-8") as torn:
            torn.write('{"id": "c", "quest')
        monkeypatch.setattr(stand_in, "stop_at", None)
        stand_in.asked.clear()
        assert self.run(questions, out, hospital) == 0
        assert [line["id"] for line in read_lines(out)] == ["a", "b", "c"]
        assert [question for question, _, _ in stand_in.asked] == ["three?"]

    def test_a_question_that_cannot_be_taken_does_not_stop_the_rest(
        self, tmp_path: Path, hospital: Path, stand_in: type[StandIn]
    ) -> None:
        asked = write_lines(
            tmp_path / "in.jsonl", [{"id": 1, "question": " "}, {"id": 2, "question": "two?"}]
        )
        out = tmp_path / "out.jsonl"
        assert self.run(asked, out, hospital) == 1
        bad, good = read_lines(out)
        assert bad["status"] == "refused"
        assert "empty" in bad["text"]
        assert good["status"] == "answered"

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ('{"id": 1}\n', "line 1"),
            ('{"id": 1, "question": "a"}\n{"id": 1, "question": "b"}\n', "occurs twice"),
            ("not json\n", "line 1"),
        ],
    )
    def test_a_broken_input_is_refused_with_its_line(
        self,
        content: str,
        says: str,
        tmp_path: Path,
        hospital: Path,
        stand_in: type[StandIn],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        asked = tmp_path / "in.jsonl"
        asked.write_text(content, encoding="utf-8")
        assert self.run(asked, tmp_path / "out.jsonl", hospital) == 1
        assert says in capsys.readouterr().err

    def test_a_file_that_is_no_batch_output_is_not_touched(
        self, questions: Path, tmp_path: Path, hospital: Path, stand_in: type[StandIn]
    ) -> None:
        out = tmp_path / "thesis.txt"
        out.write_text("years of work\n", encoding="utf-8")
        assert self.run(questions, out, hospital) == 1
        assert out.read_text(encoding="utf-8") == "years of work\n"


class TestRendering:
    def shown(self, answer: Answer) -> str:
        console = Console(width=100, record=True, file=StringIO())
        render_answer(answer, console)
        return console.export_text()

    def test_record_text_is_never_markup_and_never_moves_the_cursor(self) -> None:
        quote = NoteEvidence(
            id=1, note_id=7, start=0, end=9, quote="[red]\x1b[2J\u202e[/red]", note_type="progress"
        )
        shown = self.shown(answer_to("?", evidence=(quote,)))
        assert "[red][2J[/red]" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown

    def test_a_refusal_says_why_and_what_may_have_been_meant(self) -> None:
        answer = answer_to(
            "?", status="clarify", reason=None, text="Which one?", options=("urine", "blood"), evidence=()
        )
        assert "1. urine" in self.shown(answer)
        refused = answer_to("?", status="refused", reason="no_permission", text="Not permitted.", evidence=())
        assert "you may not see it" in self.shown(refused)

    def test_a_result_of_several_rows_is_a_table(self) -> None:
        result = Result(columns=("drug", "n"), rows=(("heparin", 3), ("insulin", None)))
        shown = self.shown(answer_to("?", result=result))
        assert "heparin" in shown
        assert "None" not in shown


def test_models_are_listed_without_any_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["installed"] == []
    assert {entry["machine"] for entry in listed["recommended"]} == {"laptop", "workstation", "gpu"}


def test_the_demo_hospital_is_made_on_first_need(
    private_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def small(path: Path, **_: Any) -> None:
        small_hospital(path)

    monkeypatch.setattr("knowledge.demo.build", small)
    monkeypatch.setattr("agent.prepare.Embedder", lambda folder: None)  # keywords only: no model is loaded
    assert main(["demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["patients"] == 4
    assert (private_home / "demo" / "demo.index").is_dir()
    monkeypatch.setattr("knowledge.demo.build", None)  # a second need makes nothing
    assert main(["demo"]) == 0


def test_an_unforeseen_error_shows_its_kind_and_no_record_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise KeyError("Ada Demo, HIV positive")

    monkeypatch.delenv("CHARTROOM_DEBUG", raising=False)
    monkeypatch.setattr("agent.cli.program.app", lambda *_, **__: broken())
    assert main(["doctor"]) == 1
    said = capsys.readouterr().err
    assert "KeyError" in said
    assert "HIV" not in said
