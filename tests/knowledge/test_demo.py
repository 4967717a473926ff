"""The demo hospital: deterministic, coherent, and in agreement with itself except where planted."""

import csv
import gzip
import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from knowledge import demo
from knowledge.demo.courses import load_courses
from knowledge.demo.hospital import Hospital, make_hospital
from knowledge.demo.people import life_tables
from knowledge.demo.reference import Coded, load_reference, read_table
from knowledge.demo.template import organism_names
from knowledge.errors import ConfigError, StoreError
from knowledge.store.store import RecordStore

NOW = "2026-03-01 08:00:00"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return demo.build(tmp_path_factory.mktemp("demo") / "demo.sqlite")


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    return make_hospital(150, 7)


@pytest.fixture
def connection(store: RecordStore) -> Iterator[sqlite3.Connection]:
    with closing(store.connect()) as opened:
        yield opened


def count(connection: sqlite3.Connection, sql: str) -> int:
    return connection.execute(sql).fetchone()[0]


def fingerprint(store: RecordStore) -> str:
    digest = hashlib.sha256()
    with closing(store.connect()) as opened:
        for line in opened.iterdump():
            digest.update(line.encode())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_content_and_another_seed_does_not(tmp_path: Path) -> None:
    first = demo.build(tmp_path / "a.sqlite", patients=15, seed=3)
    second = demo.build(tmp_path / "b.sqlite", patients=15, seed=3)
    other = demo.build(tmp_path / "c.sqlite", patients=15, seed=4)
    assert fingerprint(first) == fingerprint(second) != fingerprint(other)


def test_more_patients_do_not_change_the_ones_before() -> None:
    few, more = make_hospital(4, 11), make_hospital(6, 11)
    assert more.ledger.tables["patients"][:4] == few.ledger.tables["patients"]
    assert (
        more.ledger.tables["labevents"][: len(few.ledger.tables["labevents"])]
        == few.ledger.tables["labevents"]
    )


def test_nothing_is_left_when_the_build_is_interrupted(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.build(tmp_path / "demo.sqlite", patients=5, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "demo.sqlite"
    path.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        demo.build(path, patients=1)
    assert path.read_text() == "mine"


def test_a_senseless_number_of_patients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        demo.build(tmp_path / "demo.sqlite", patients=0)


def test_progress_counts_every_patient(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    demo.build(tmp_path / "demo.sqlite", patients=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_store_says_that_it_is_the_demo(store: RecordStore) -> None:
    assert store.meta("now") == NOW
    assert store.meta("demo") == '{"patients": 150, "seed": 7}'
    assert "Demo" in (store.meta("name") or "")


def test_every_table_has_rows(connection: sqlite3.Connection) -> None:
    least = {
        "patients": 150, "admissions": 200, "labevents": 15000, "chartevents": 30000, "prescriptions": 1500,
        "microbiologyevents": 150, "procedures_icd": 60, "icustays": 40, "transfers": 500, "inputevents": 300,
        "outputevents": 300, "cost": 15000, "allergies": 30, "immunizations": 30, "diagnoses_icd": 800,
    }  # fmt: skip
    for table, rows in least.items():
        assert count(connection, f"SELECT count(*) FROM {table}") >= rows, table
    assert 1500 <= count(connection, "SELECT count(*) FROM notes") <= 2600


def test_there_are_twelve_courses_and_each_is_told_in_both_languages(connection: sqlite3.Connection) -> None:
    assert len(load_courses()) >= 12
    told = connection.execute(
        "SELECT a.reason, n.language FROM admissions a JOIN notes n ON n.hadm_id = a.hadm_id GROUP BY 1, 2"
    ).fetchall()
    assert len(told) == 2 * len(load_courses())


def test_every_course_names_its_sources() -> None:
    assert all(course.sources for course in load_courses())
    for table in ("labs.tsv", "items.tsv", "drugs.tsv", "diagnoses.tsv", "procedures.tsv"):
        assert all(row["source"] for row in read_table(table)), table


def test_a_third_of_the_patients_have_chinese_notes(connection: sqlite3.Connection) -> None:
    by_language = dict(
        connection.execute("SELECT language, count(DISTINCT subject_id) FROM notes GROUP BY 1").fetchall()
    )
    assert by_language == {"en": 100, "zh": 50}


def test_each_language_has_six_types_of_notes(connection: sqlite3.Connection) -> None:
    types = {"admission", "progress", "nursing", "consult", "radiology", "discharge"}
    for language in ("en", "zh"):
        found = connection.execute("SELECT DISTINCT note_type FROM notes WHERE language = ?", (language,))
        assert {row[0] for row in found} == types


def test_names_are_plainly_fictitious(connection: sqlite3.Connection) -> None:
    for name, mrn in connection.execute("SELECT name, mrn FROM patients"):
        assert name.startswith(("Demo-", "示例·"))
        assert mrn.startswith("DEMO-")


def test_foreign_keys_are_clean(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert count(connection, "SELECT count(*) FROM patients WHERE source != 1") == 0


def test_time_runs_forward(connection: sqlite3.Connection) -> None:
    inside = {
        "labevents": "charttime", "chartevents": "charttime", "notes": "charttime",
        "prescriptions": "starttime",
        "microbiologyevents": "charttime", "procedures_icd": "charttime", "diagnoses_icd": "charttime",
        "inputevents": "starttime", "outputevents": "charttime", "transfers": "intime", "icustays": "intime",
    }  # fmt: skip
    for table, column in inside.items():
        assert (
            count(
                connection,
                f"SELECT count(*) FROM {table} e JOIN admissions a USING (hadm_id)"
                f" WHERE e.{column} < a.admittime"
                f" OR e.{column} > coalesce(a.dischtime, '{NOW}')",
            )
            == 0
        ), table
    for sql in (
        "SELECT count(*) FROM admissions WHERE dischtime <= admittime OR admittime > '2026-03-01 08:00:00'",
        "SELECT count(*) FROM prescriptions WHERE stoptime <= starttime",
        "SELECT count(*) FROM prescriptions p JOIN admissions a USING (hadm_id)"
        " WHERE p.stoptime > a.dischtime",
        "SELECT count(*) FROM icustays i JOIN admissions a USING (hadm_id) WHERE i.outtime > a.dischtime"
        " OR i.outtime <= i.intime",
        "SELECT count(*) FROM admissions a JOIN admissions b USING (subject_id)"
        " WHERE a.admittime < b.admittime AND coalesce(a.dischtime, '9999') > b.admittime",
        "SELECT count(*) FROM patients p JOIN admissions a USING (subject_id) WHERE p.dod < a.admittime",
    ):
        assert count(connection, sql) == 0, sql


def test_some_patients_are_in_hospital_now_with_running_orders(connection: sqlite3.Connection) -> None:
    assert count(connection, "SELECT count(*) FROM admissions WHERE dischtime IS NULL") >= 15
    without = (
        "SELECT count(*) FROM admissions a WHERE dischtime IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM prescriptions p WHERE p.hadm_id = a.hadm_id AND p.stoptime IS NULL)"
    )
    assert count(connection, without) == 0
    assert count(connection, "SELECT count(*) FROM prescriptions WHERE stoptime > '2026-03-01 08:00:00'") == 0


def test_there_are_readmissions_within_thirty_days(connection: sqlite3.Connection) -> None:
    sql = (
        "SELECT count(*) FROM admissions a JOIN admissions b USING (subject_id)"
        " WHERE b.admittime > a.dischtime AND julianday(b.admittime) - julianday(a.dischtime) <= 30"
    )
    assert count(connection, sql) >= 10


def test_flags_follow_the_reference_range(connection: sqlite3.Connection) -> None:
    rows = connection.execute("SELECT valuenum, ref_range_lower, ref_range_upper, flag FROM labevents")
    for value, low, high, flag in rows:
        above, below = high is not None and value > high, low is not None and value < low
        assert ("high" in (flag or "")) == above and ("low" in (flag or "")) == below


def test_costs_point_at_their_events(connection: sqlite3.Connection) -> None:
    for table in ("labevents", "prescriptions", "procedures_icd", "diagnoses_icd"):
        sql = (
            f"SELECT count(*) FROM cost c LEFT JOIN {table} e"
            f" ON e.row_id = c.event_id AND e.hadm_id = c.hadm_id"
            f" WHERE c.event_type = '{table}' AND e.row_id IS NULL"
        )
        assert count(connection, sql) == 0


def test_the_key_of_contradictions_is_exact(store: RecordStore) -> None:
    key = demo.contradictions(store)
    kinds = Counter(entry.kind for entry in key)
    assert len(key) >= 28 and len(kinds) >= 8
    languages = Counter()
    with closing(store.connect()) as opened:
        for entry in key:
            note = store.note(entry.note_id)
            assert note is not None and note.subject_id == entry.subject_id
            assert note.text[entry.start : entry.end] == entry.quote
            languages[note.language] += 1
            for row_id in entry.row_ids:
                sql = f"SELECT count(*) FROM {entry.table} WHERE row_id = ? AND subject_id = ?"
                assert opened.execute(sql, (row_id, entry.subject_id)).fetchone()[0] == 1
    assert languages["zh"] >= 8
    assert len({entry.id for entry in key}) == len(key)


def test_a_store_without_a_key_has_no_contradictions(tmp_path: Path) -> None:
    assert demo.contradictions(RecordStore.create(tmp_path / "empty.sqlite")) == []


def test_every_value_in_every_note_agrees_with_its_row(store: RecordStore, hospital: Hospital) -> None:
    spellings = {
        column: {value: {s.casefold() for s in said} for value, said in by_value.items()}
        for column, by_value in _spellings().items()
    }
    checked = Counter()
    texts = {note.note_id: note.text for note in store.notes()}
    assert len(texts) == len(hospital.notes)
    for note in hospital.notes:
        for fact in note.pen.facts:
            said = texts[note.note_id][fact.start : fact.end]
            place = f"note {note.note_id} [{fact.start}, {fact.end}) {fact.table}.{fact.column}"
            if fact.row_id == 0:
                rows = hospital.ledger.tables["allergies"]
                assert not any(row["subject_id"] == note.subject_id for row in rows), place
                continue
            row = hospital.ledger.row(fact.table, fact.row_id)
            assert row["subject_id"] == note.subject_id, place
            value = row[fact.column]
            if fact.column in ("valuenum", "age"):
                assert float(said) == float(str(value)), place
            elif fact.column in ("admittime", "dischtime"):
                assert str(value).startswith(said), place
            elif fact.column in ("dose_val_rx", "dose_unit_rx", "valueuom"):
                assert said == value, place
            else:
                assert said.casefold() in spellings[fact.column][str(value)], place
            time = row.get("charttime") or row.get("starttime")
            if time and fact.table not in ("allergies", "diagnoses_icd"):
                assert str(time) <= note.time.isoformat(" "), place
            checked[fact.table] += 1
    assert checked.total() > 15000
    assert min(checked[t] for t in ("labevents", "chartevents", "prescriptions", "diagnoses_icd")) > 1000


def test_an_order_that_a_note_gives_in_full_is_running(hospital: Hospital) -> None:
    for note in hospital.notes:
        for fact in note.pen.facts:
            if fact.table == "prescriptions" and fact.column == "frequency":
                order = hospital.ledger.row("prescriptions", fact.row_id)
                assert str(order["starttime"]) <= note.time.isoformat(" ")
                assert order["stoptime"] is None or str(order["stoptime"]) > note.time.isoformat(" "), (
                    note.note_id
                )


def test_no_order_goes_against_an_allergy_unless_planted(store: RecordStore, hospital: Hospital) -> None:
    planted = {entry.subject_id for entry in demo.contradictions(store) if "allergy" in entry.kind}
    drugs = load_reference().drugs
    for chart in hospital.charts:
        groups = {allergy.group for allergy in chart.person.allergies}
        taken = {drugs[order.drug].allergy_group for order in chart.orders}
        assert chart.person.subject_id in planted or not groups & taken


def test_notes_hold_no_unfilled_places(hospital: Hospital) -> None:
    for note in hospital.notes:
        assert not set("{}|") & set(note.pen.text), note.note_id
        assert not re.search(r"\w>|<[^\d\s-]|[ \t]\n", note.pen.text), note.note_id
        assert len(note.pen.text) > (60 if note.language == "zh" else 150), note.note_id


def test_text_is_copied_forward_between_progress_notes(hospital: Hospital) -> None:
    lines: dict[int, Counter[str]] = {}
    for note in hospital.notes:
        if note.note_type == "progress":
            long = {line for line in note.pen.text.splitlines() if len(line) > 40}
            lines.setdefault(note.hadm_id, Counter()).update(long)
    assert sum(any(n > 1 for n in found.values()) for found in lines.values()) > len(lines) / 3


@pytest.mark.shared_data
def test_diagnosis_codes_exist_and_are_billable(shared_data: Path) -> None:
    with gzip.open(shared_data / "icd10cm/icd10cm-order-Jan-2021.csv.gz", "rt", encoding="utf-8") as lines:
        official = {row["code"]: row for row in csv.DictReader(lines)}
    for code, entry in load_reference().diagnoses.items():
        assert official[code]["billable"] == "1"
        assert official[code]["long"] == entry.long_title


@pytest.mark.shared_data
def test_procedure_codes_and_items_exist(shared_data: Path) -> None:
    def rows(name: str) -> list[dict[str, str]]:
        with gzip.open(shared_data / "mimic-iv-demo" / name, "rt", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    titles = {
        r["icd_code"]: r["long_title"]
        for r in rows("hosp/d_icd_procedures.csv.gz")
        if r["icd_version"] == "10"
    }
    for code, entry in load_reference().procedures.items():
        assert titles[code] == entry.long_title
    labs = {int(r["itemid"]): r["label"] for r in rows("hosp/d_labitems.csv.gz")}
    assert all(labs[item.itemid] == item.label for item in load_reference().labs.values())
    items = {int(r["itemid"]): r["label"] for r in rows("icu/d_items.csv.gz")}
    assert all(items[item.itemid] == item.label for item in load_reference().items.values())


def _spellings() -> dict[str, dict[str, set[str]]]:
    """For each column, how notes may write a value of the tables."""
    reference = load_reference()
    found: dict[str, dict[str, set[str]]] = {
        "drug": {d.drug: {d.drug.lower(), d.zh} for d in reference.drugs.values()},
        "route": {s.code: {s.en.lower(), s.zh} for s in reference.sigs.values()},
        "icd_code": {},
        "gender": {"f": {"woman", "女"}, "m": {"man", "男"}},
        "org_name": {}, "ab_name": {}, "substance": {}, "reaction": {},
    }  # fmt: skip
    found["frequency"] = found["route"]
    codes: list[Coded] = [*reference.diagnoses.values(), *reference.procedures.values()]
    for coded in codes:
        spelled = {coded.en.lower(), coded.zh}
        spelled |= {"right", "右"} if "right" in coded.long_title.lower() else set()
        spelled |= {"left", "左"} if "left" in coded.long_title.lower() else set()
        found["icd_code"][coded.icd_code] = spelled
    for name, zh in organism_names().items():
        found["org_name"][name] = found["ab_name"][name] = {name.lower(), zh}
    planted = [
        {"substance": "Penicillin", "en": "penicillin", "zh": "青霉素", "reactions": []},
        {"substance": "Cephalosporins", "en": "cephalosporins", "zh": "头孢菌素类", "reactions": []},
    ]
    for allergy in [*life_tables()["allergies"], *planted]:
        found["substance"].setdefault(allergy["substance"], set()).update({allergy["en"], allergy["zh"]})
        for en, zh in allergy["reactions"]:
            found["reaction"].setdefault(en, set()).update({en, zh})
    return found
