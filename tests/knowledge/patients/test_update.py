"""The patient graph follows the store: rows and notes that come, change and go; nothing half-written is read."""

import os

import pytest

from knowledge.errors import IndexFault
from knowledge.patients import PatientGraph, update
from knowledge.patients import write as writing

NOW = "2025-03-01 12:00:00"


def asthmatic(graph: PatientGraph) -> bool:
    return any(problem.concept == "disease:asthma" for problem in graph.problems(4))


def test_a_deleted_note_takes_along_what_only_it_supported(hospital) -> None:
    hospital.note("Known asthma and gout.")
    hospital.diagnose("icd10|M109", "Gout, unspecified")
    assert asthmatic(hospital.updated())
    hospital.run(("DELETE FROM notes WHERE note_id = 90", ()))
    graph = hospital.updated()
    assert [problem.concept for problem in graph.problems(4)] == ["disease:gout"]
    assert not [said for said in graph.statements(4) if said.concept == "disease:asthma"]


def test_a_rewritten_note_is_read_again(hospital) -> None:
    hospital.note("Known asthma.")
    assert asthmatic(hospital.updated())
    hospital.run(("UPDATE notes SET text = 'No asthma.' WHERE note_id = 90", ()))
    assert not asthmatic(hospital.updated())


def test_only_what_changed_is_read(hospital) -> None:
    assert hospital.update().work == "built"
    assert hospital.update() == writing.Written("current")
    hospital.note("Known asthma.")
    hospital.diagnose("icd10|M109", "Gout, unspecified", subject_id=3)
    done = hospital.update()
    assert (done.work, done.patients_read, done.notes_read) == ("updated", 1, 1)


def test_a_changed_or_deleted_row_is_followed(hospital) -> None:
    assert {"drug:furosemide"} <= {c for o in hospital.updated().drugs(1, NOW) for c in o.concepts}
    hospital.run(("UPDATE prescriptions SET stoptime = '2025-02-28 09:00:00' WHERE row_id = 3", ()))
    hospital.run(("DELETE FROM prescriptions WHERE row_id = 4", ()))
    assert hospital.updated().drugs(1, NOW) == ()


def test_an_update_says_the_same_as_building_anew(hospital) -> None:
    hospital.update()
    hospital.note("Known asthma, no gout.")
    hospital.run(("DELETE FROM diagnoses_icd WHERE row_id = 2", ()))
    updated = hospital.updated()
    hospital.update(anew=True)
    anew = hospital.open()
    for subject_id in (1, 2, 3, 4):
        assert set(updated.statements(subject_id)) == set(anew.statements(subject_id))
    assert updated.counts() == anew.counts()


def test_an_interrupted_writing_leaves_the_graph_before_it(hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    hospital.update()
    hospital.note("Known asthma.")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "note_statements", killed)
    with pytest.raises(KeyboardInterrupt):
        hospital.update()
    assert not asthmatic(hospital.open())
    monkeypatch.undo()
    assert asthmatic(hospital.updated())


def test_an_altered_file_is_refused_with_the_command_that_repairs_it(hospital) -> None:
    hospital.update()
    (file,) = hospital.folder.rglob(writing.DATABASE)
    with file.open("r+b") as opened:
        opened.seek(-1, os.SEEK_END)
        last = opened.read(1)
        opened.seek(-1, os.SEEK_END)
        opened.write(bytes([last[0] ^ 1]))
    with pytest.raises(IndexFault, match="chartroom index --rebuild"):
        hospital.open()


def test_the_graph_of_another_store_is_refused(hospital, tmp_path) -> None:
    from hospital import small_hospital

    hospital.update()
    other = small_hospital(tmp_path / "other.sqlite")
    with pytest.raises(IndexFault, match="another store"):
        PatientGraph.open(other, hospital.folder)


def test_a_foreign_database_without_notes_has_a_graph_of_its_rows(hospital, foreign, tmp_path) -> None:
    store = foreign()
    before = store.path.read_bytes()
    done = update(store, tmp_path / "foreign.index", hospital.graph, hospital.finder, lambda *_: None)
    graph = PatientGraph.open(store, tmp_path / "foreign.index")
    assert (done.work, done.notes_read) == ("built", 0)
    assert {p.concept for p in graph.problems(1)} == {"disease:aki", "disease:type-2-diabetes"}
    assert [o.wording for o in graph.drugs(1, NOW)] == ["Ceftriaxone", "Furosemide"]
    assert graph.results(1, "lab:creatinine")[0].time == "2025-02-28 06:00:00"
    assert store.path.read_bytes() == before


def test_progress_is_told_by_stage(hospital) -> None:
    hospital.update()
    assert list(dict.fromkeys(hospital.reported)) == ["patient rows", "patient notes"]
