"""OMOP CDM: a folder of a few rows to the letter, and GiBleed as a whole."""

from contextlib import closing
from pathlib import Path

import pytest

from knowledge.importers import load
from knowledge.store.store import RecordStore

FILES = {
    "concept.csv": "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,"
    "concept_code\n"
    "192671.0,Gastrointestinal hemorrhage,Condition,SNOMED,Finding,S,74474003\n"
    '35208414.0,"Gastrointestinal hemorrhage, unspecified",Condition,ICD10CM,Code,,K92.2\n'
    "1118088.0,celecoxib 200 MG,Drug,RxNorm,Drug,S,213469\n"
    "3016723.0,Creatinine,Measurement,LOINC,Lab Test,S,2160-0\n"
    "8840.0,milligram per deciliter,Unit,UCUM,Unit,S,mg/dL\n"
    "45877994.0,Yes,Meas Value,LOINC,Answer,S,LA33-6\n",
    "person.csv": "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,race_source_value,"
    "person_source_value,gender_source_value\n"
    "6.0,8532.0,1963.0,12.0,31.0,black,MRN-6,F\n7.0,0.0,1950.0,4.0,,white,MRN-7,M\n8.0,0,1950.0,,,,MRN-8,\n",
    "visit_occurrence.csv": "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"
    "20.0,6.0,9201.0,2000-01-05,2000-01-08\n",
    "condition_occurrence.csv": "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,"
    "condition_start_datetime,condition_end_date,visit_occurrence_id,condition_source_value\n"
    "1.0,6.0,192671.0,2000-01-05,2000-01-05 10:00:00,2000-01-08,20.0,K92.2\n"
    "2.0,6.0,35208414.0,2000-01-05,,,99.0,K92.2\n"
    "3.0,6.0,0.0,2000-01-05,,,0.0,LOCAL7\n"
    "3.0,7.0,192671.0,2000-01-06,,,,\n"
    "4.0,7.0,0.0,2000-01-06,,,,\n",
    "drug_exposure.csv": "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,"
    "drug_exposure_end_date,route_source_value\n1.0,6.0,1118088.0,2000-01-05,2000-01-09,oral\n"
    "1.0,6.0,1118088.0,2000-01-05,2000-01-09,oral\n",
    "measurement.csv": "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,"
    "value_as_concept_id,unit_concept_id,range_low,range_high\n"
    "1.0,6.0,3016723.0,2000-01-05,1.9,0.0,8840.0,0.5,1.1\n2.0,6.0,3016723.0,2000-01-06,,45877994.0,,,\n",
    "observation.csv": "observation_id,person_id,observation_concept_id,observation_date,value_as_string\n"
    "1.0,6.0,192671.0,2000-01-05,seen\n",
    "death.csv": "person_id,death_date\n6.0,2010-02-03\n99.0,2010-02-03\n",
    "note.csv": "note_id,person_id,note_date,note_title,note_text\n"
    "1.0,6.0,2000-01-05,Ward round,Doing well.\n",
    "condition_era.csv": "condition_era_id\n1\n2\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "cdm").mkdir(exist_ok=True)
        (tmp_path / "cdm" / name).write_text(text, encoding="utf-8")
    return tmp_path / "cdm"


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore.create(tmp_path / "store.sqlite")


def rows(store: RecordStore, query: str) -> list[tuple[object, ...]]:
    with closing(store.connect()) as connection:
        return connection.execute(query).fetchall()


def test_persons_become_patients_with_what_is_known_of_their_birth(folder: Path, store: RecordStore) -> None:
    load(folder, store)
    assert rows(store, "SELECT subject_id, gender, dob, dob_precision, dod, mrn FROM patients") == [
        (6, "f", "1963-12-31 00:00:00", "day", "2010-02-03 00:00:00", "MRN-6"),
        (7, "m", "1950-04-01 00:00:00", "month", None, "MRN-7"),
        (8, "unknown", "1950-01-01 00:00:00", "year", None, "MRN-8"),
    ]


def test_a_death_of_nobody_makes_no_patient(folder: Path, store: RecordStore) -> None:
    load(folder, store)
    assert rows(store, "SELECT line, reason FROM quarantine WHERE item = 'death'") == [
        (3, "patients: the row that this would complete is not there")
    ]


def test_conditions_keep_their_code_or_the_value_of_their_source(folder: Path, store: RecordStore) -> None:
    report = load(folder, store)
    assert rows(
        store,
        "SELECT subject_id, hadm_id, icd_code, long_title, charttime FROM diagnoses_icd"
        " JOIN d_icd_diagnoses USING (icd_code) ORDER BY diagnoses_icd.source_id",
    ) == [
        (6, 20, "snomed|74474003", "Gastrointestinal hemorrhage", "2000-01-05 10:00:00"),
        (6, None, "icd10|K922", "Gastrointestinal hemorrhage, unspecified", "2000-01-05 00:00:00"),
        (6, None, "source|LOCAL7", "LOCAL7", "2000-01-05 00:00:00"),
        # An id that the source uses for two persons stays two rows.
        (7, None, "snomed|74474003", "Gastrointestinal hemorrhage", "2000-01-06 00:00:00"),
    ]
    conditions = report.items["condition_occurrence"]
    assert (conditions.accepted, conditions.rejected, conditions.unlinked) == (4, 1, 1)


def test_numbers_become_labs_and_other_results_observations(folder: Path, store: RecordStore) -> None:
    load(folder, store)
    assert rows(
        store,
        "SELECT itemid, label, code, valuenum, valueuom, ref_range_upper FROM labevents"
        " JOIN d_labitems USING (itemid)",
    ) == [(3016723, "Creatinine", "loinc|2160-0", 1.9, "mg/dL", 1.1)]
    assert rows(store, "SELECT label, value, category FROM observations ORDER BY category") == [
        ("Creatinine", "Yes", "measurement"),
        ("Gastrointestinal hemorrhage", "seen", "observation"),
    ]


def test_a_row_that_comes_twice_is_counted_as_a_duplicate(folder: Path, store: RecordStore) -> None:
    report = load(folder, store)
    assert (report.items["drug_exposure"].accepted, report.items["drug_exposure"].duplicates) == (1, 1)
    assert rows(store, "SELECT drug, code, route FROM prescriptions") == [
        ("celecoxib 200 MG", "rxnorm|213469", "oral")
    ]


def test_visits_notes_and_what_has_no_place(folder: Path, store: RecordStore) -> None:
    report = load(folder, store)
    assert rows(store, "SELECT hadm_id, admission_type, dischtime, age FROM admissions") == [
        (20, "inpatient", "2000-01-08 00:00:00", 36)
    ]
    assert rows(store, "SELECT title, text FROM notes") == [("Ward round", "Doing well.")]
    assert report.items["condition_era"].skipped == 2
    assert report.items["concept"].skipped == 6


def test_athena_s_tab_separated_vocabulary_is_read(folder: Path, store: RecordStore) -> None:
    text = FILES["concept.csv"].replace('"Gastrointestinal hemorrhage, unspecified"', 'The "other" bleeding')
    (folder / "concept.csv").unlink()
    (folder / "CONCEPT.csv").write_text(text.replace(",", "\t"), encoding="utf-8")
    load(folder, store)
    assert rows(store, "SELECT long_title FROM d_icd_diagnoses WHERE icd_code = 'icd10|K922'") == [
        ('The "other" bleeding',)
    ]


@pytest.mark.shared_data
def test_gibleed_loads_and_every_row_is_accounted_for(tmp_path: Path, shared_data: Path) -> None:
    store = RecordStore.create(tmp_path / "gibleed.sqlite")
    report = load(shared_data / "omop-gibleed", store)
    counts = report.counts
    assert report.failed == ()
    assert counts.input == 411_136
    assert counts.accepted == 219_696
    assert counts.rejected == 13  # ids used twice for one person, with other content
    assert rows(store, "SELECT count(*) FROM patients") == [(2694,)]
    assert rows(store, "SELECT count(*) FROM diagnoses_icd") == [(65_332,)]
    assert rows(store, "SELECT count(*) FROM procedures_icd") == [(37_409,)]
