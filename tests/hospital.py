"""A hand-written hospital of four patients whose every answer can be worked out by eye.

``small_hospital`` writes it into a new store. "Now" is 2025-03-01 12:00:00.

* 1 王芳: in hospital since 2025-02-25 (admission 102, in the ICU since 02-26), an earlier stay in 2024
  (admission 101); creatinine rises 1.2, 2.8, 1.9; Chinese notes.
* 2 John Sample: one completed stay (201) with pneumonia, an ICU stay, a penicillin allergy, a µmol/L creatinine.
* 3 Mary Example: readmitted 12 days after discharge (301, 302), both times for heart failure.
* 4 Ann Specimen: one completed stay (401), nothing measured.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from knowledge.store.store import RecordStore

NOW = "2025-03-01 12:00:00"

ZH_NOTE = (
    "病程记录\n患者诉无胸痛，仍有少尿。既往糖尿病史10年，母亲患乳腺癌。\n"
    "肌酐升至2.8 mg/dL，考虑急性肾损伤，停用二甲双胍。\n计划：复查肾功能，记24小时出入量。"
)
EN_NOTE = (
    "DISCHARGE SUMMARY\nHistory: 67 y/o man with community acquired pneumonia. Denies chest pain.\n"
    "Hospital course: treated with levofloxacin for 7 days because of a penicillin allergy (rash).\n"
    "Plan: follow-up chest x-ray in 6 weeks."
)
RADIOLOGY_NOTE = (
    "CHEST X-RAY\nIndication: cough and fever.\nFindings: right lower lobe consolidation. "
    "No pleural effusion.\nImpression: right lower lobe pneumonia."
)

Rows = Sequence[tuple[object, ...]]


def _fill(connection: sqlite3.Connection, table: str, columns: str, rows: Rows) -> None:
    marks = ", ".join("?" for _ in columns.split())
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns.split())}) VALUES ({marks})", rows)


def small_hospital(path: Path) -> RecordStore:
    """Write the hospital into a new store at ``path``."""
    store = RecordStore.create(path, name="Small hospital", now=NOW)
    with closing(store.connect()) as connection, connection:
        _people(connection)
        _measurements(connection)
        _orders(connection)
        _texts(connection)
    return store


def _people(c: sqlite3.Connection) -> None:
    _fill(
        c,
        "patients",
        "row_id subject_id gender dob dod name mrn race",
        [
            (1, 1, "f", "1958-06-01 00:00:00", None, "王芳", "M0001", "asian"),
            (2, 2, "m", "1957-03-12 00:00:00", None, "John Sample", "M0002", "white"),
            (3, 3, "f", "1940-01-20 00:00:00", "2025-01-30 04:00:00", "Mary Example", "M0003", "white"),
            (4, 4, "f", "1990-11-05 00:00:00", None, "Ann Specimen", "M0004", None),
        ],
    )
    _fill(
        c,
        "admissions",
        "row_id subject_id hadm_id admittime dischtime admission_type admission_location discharge_location "
        "insurance language marital_status age reason",
        [
            (1, 1, 101, "2024-05-01 09:00:00", "2024-05-06 15:00:00", "elective", "physician referral", "home",
             "public", "chinese", "married", 65, "diabetes review"),
            (2, 1, 102, "2025-02-25 08:00:00", None, "urgent", "emergency room", None,
             "public", "chinese", "married", 66, "acute kidney injury"),
            (3, 2, 201, "2025-01-10 20:00:00", "2025-01-18 11:00:00", "emergency", "emergency room", "home",
             "private", "english", "single", 67, "pneumonia"),
            (4, 3, 301, "2025-01-02 10:00:00", "2025-01-09 10:00:00", "urgent", "emergency room", "home",
             "public", "english", "widowed", 84, "heart failure"),
            (5, 3, 302, "2025-01-21 22:00:00", "2025-01-30 04:00:00", "emergency", "emergency room", "died",
             "public", "english", "widowed", 85, "heart failure"),
            (6, 4, 401, "2024-12-20 07:00:00", "2024-12-21 09:00:00", "elective", "physician referral", "home",
             "private", "english", "married", 34, "observation"),
        ],
    )  # fmt: skip
    _fill(
        c,
        "icustays",
        "row_id subject_id hadm_id stay_id first_careunit last_careunit intime outtime",
        [
            (1, 1, 102, 1001, "micu", "micu", "2025-02-26 10:00:00", None),
            (2, 2, 201, 2001, "micu", "sicu", "2025-01-11 02:00:00", "2025-01-13 14:00:00"),
            (3, 3, 302, 3001, "ccu", "ccu", "2025-01-22 00:00:00", "2025-01-30 04:00:00"),
        ],
    )
    _fill(
        c,
        "transfers",
        "row_id subject_id hadm_id transfer_id eventtype careunit intime outtime",
        [
            (1, 1, 102, 11, "ed", "emergency department", "2025-02-25 06:00:00", "2025-02-25 08:00:00"),
            (2, 1, 102, 12, "admit", "nephrology", "2025-02-25 08:00:00", "2025-02-26 10:00:00"),
            (3, 1, 102, 13, "transfer", "micu", "2025-02-26 10:00:00", None),
            (4, 2, 201, 21, "admit", "medicine", "2025-01-10 20:00:00", "2025-01-11 02:00:00"),
            (5, 2, 201, 22, "transfer", "micu", "2025-01-11 02:00:00", "2025-01-13 14:00:00"),
        ],
    )
    _fill(
        c,
        "d_icd_diagnoses",
        "icd_code long_title",
        [
            ("icd10|N179", "Acute kidney failure, unspecified"),
            ("icd10|E119", "Type 2 diabetes mellitus without complications"),
            ("icd10|J189", "Pneumonia, unspecified organism"),
            ("icd10|I509", "Heart failure, unspecified"),
        ],
    )
    _fill(
        c,
        "diagnoses_icd",
        "row_id subject_id hadm_id icd_code charttime seq_num status",
        [
            (1, 1, 101, "icd10|E119", "2024-05-01 10:00:00", 1, None),
            (2, 1, 102, "icd10|N179", "2025-02-25 12:00:00", 1, None),
            (3, 1, 102, "icd10|E119", "2025-02-25 12:00:00", 2, None),
            (4, 2, 201, "icd10|J189", "2025-01-10 22:00:00", 1, None),
            (5, 3, 301, "icd10|I509", "2025-01-02 11:00:00", 1, None),
            (6, 3, 302, "icd10|I509", "2025-01-21 23:00:00", 1, None),
        ],
    )
    _fill(
        c,
        "d_icd_procedures",
        "icd_code long_title",
        [("icd10|5A1D70Z", "Intermittent hemodialysis"), ("icd10|0BH17EZ", "Endotracheal intubation")],
    )
    _fill(
        c,
        "procedures_icd",
        "row_id subject_id hadm_id icd_code charttime seq_num",
        [
            (1, 1, 102, "icd10|5A1D70Z", "2025-02-27 14:00:00", 1),
            (2, 2, 201, "icd10|0BH17EZ", "2025-01-11 03:00:00", 1),
            (3, 1, 102, "icd10|5A1D70Z", "2025-02-28 14:00:00", 2),
        ],
    )


def _measurements(c: sqlite3.Connection) -> None:
    _fill(
        c,
        "d_labitems",
        "itemid label fluid category code",
        [
            (50912, "Creatinine", "Blood", "Chemistry", "loinc|2160-0"),
            (50971, "Potassium", "Blood", "Chemistry", "loinc|2823-3"),
            (51221, "Hematocrit", "Blood", "Hematology", "loinc|4544-3"),
            (51506, "Urine Appearance", "Urine", "Hematology", None),
        ],
    )
    _fill(
        c,
        "labevents",
        "row_id subject_id hadm_id itemid charttime valuenum valueuom value ref_range_lower ref_range_upper flag",
        [
            (1, 1, 101, 50912, "2024-05-01 10:00:00", 0.9, "mg/dL", "0.9", 0.4, 1.1, None),
            (2, 1, 102, 50912, "2025-02-25 09:00:00", 1.2, "mg/dL", "1.2", 0.4, 1.1, "abnormal"),
            (3, 1, 102, 50912, "2025-02-26 06:00:00", 2.8, "mg/dL", "2.8", 0.4, 1.1, "abnormal"),
            (4, 1, 102, 50912, "2025-02-27 06:00:00", 1.9, "mg/dL", "1.9", 0.4, 1.1, "abnormal"),
            (5, 1, 102, 50971, "2025-02-26 06:00:00", 6.1, "mEq/L", "6.1", None, None, None),
            (6, 1, 102, 50971, "2025-02-27 06:00:00", 4.8, "mEq/L", "4.8", None, None, None),
            (7, 1, 102, 51506, "2025-02-26 07:00:00", None, None, "HAZY", None, None, None),
            (8, 1, 102, 50912, "2025-02-28 06:00:00", None, "mg/dL", "hemolyzed", 0.4, 1.1, None),
            (9, 2, 201, 50912, "2025-01-11 05:00:00", 176.84, "µmol/L", "176.84", 60, 110, "abnormal"),
            (10, 2, 201, 50971, "2025-01-11 05:00:00", 4.1, "mEq/L", "4.1", 3.5, 5.1, None),
            (11, 3, 301, 50912, "2025-01-03 06:00:00", 1.4, "mg/dL", "1.4", 0.4, 1.1, "abnormal"),
            (12, 3, 302, 50912, "2025-01-22 06:00:00", 1.6, "mg/dL", "1.6", 0.4, 1.1, "abnormal"),
            (13, 3, 302, 50971, "2025-01-22 06:00:00", 3.1, "mEq/L", "3.1", 3.5, 5.1, "abnormal"),
        ],
    )
    _fill(
        c,
        "d_items",
        "itemid label abbreviation linksto category unitname",
        [
            (220045, "Heart Rate", "HR", "chartevents", "Routine Vital Signs", "bpm"),
            (223762, "Temperature Celsius", "Temp", "chartevents", "Routine Vital Signs", "°C"),
            (225158, "NaCl 0.9%", "NaCl", "inputevents", "Fluids", "mL"),
            (225798, "Vancomycin", "Vanco", "inputevents", "Antibiotics", "mg"),
            (226559, "Foley", "Foley", "outputevents", "Output", "mL"),
        ],
    )
    _fill(
        c,
        "chartevents",
        "row_id subject_id hadm_id stay_id itemid charttime valuenum valueuom value",
        [
            (1, 1, 102, 1001, 220045, "2025-02-26 11:00:00", 104, "bpm", "104"),
            (2, 1, 102, 1001, 220045, "2025-02-26 15:00:00", 96, "bpm", "96"),
            (3, 1, 102, 1001, 220045, "2025-02-28 08:00:00", 88, "bpm", "88"),
            (4, 1, 102, 1001, 223762, "2025-02-26 11:00:00", 38.6, "°C", "38.6"),
            (5, 2, 201, 2001, 220045, "2025-01-11 03:00:00", 121, "bpm", "121"),
        ],
    )
    _fill(
        c,
        "inputevents",
        "row_id subject_id hadm_id stay_id starttime itemid totalamount totalamountuom endtime amount amountuom",
        [
            (1, 1, 102, 1001, "2025-02-26 12:00:00", 225158, 1000, "mL", "2025-02-26 14:00:00", 1000, "mL"),
            (2, 1, 102, 1001, "2025-02-27 12:00:00", 225158, 500, "mL", "2025-02-27 14:00:00", 500, "mL"),
            (3, 1, 102, 1001, "2025-02-27 13:00:00", 225798, 250, "mg", "2025-02-27 14:00:00", 1000, "mg"),
        ],
    )
    _fill(
        c,
        "outputevents",
        "row_id subject_id hadm_id stay_id charttime itemid value valueuom",
        [
            (1, 1, 102, 1001, "2025-02-26 16:00:00", 226559, 300, "mL"),
            (2, 1, 102, 1001, "2025-02-27 08:00:00", 226559, 450, "mL"),
            (3, 1, 102, 1001, "2025-02-27 20:00:00", 226559, 350, "mL"),
        ],
    )
    _fill(
        c,
        "microbiologyevents",
        "row_id subject_id hadm_id charttime spec_type_desc test_name org_name ab_name interpretation comments",
        [
            (1, 1, 102, "2025-02-26 09:00:00", "URINE", "Urine culture", "ESCHERICHIA COLI", "CEFTRIAXONE", "S", None),
            (2, 1, 102, "2025-02-26 09:00:00", "URINE", "Urine culture", "ESCHERICHIA COLI", "CIPROFLOXACIN", "R",
             None),
            (3, 2, 201, "2025-01-10 23:00:00", "BLOOD CULTURE", "Blood culture", None, None, None, "no growth"),
        ],
    )  # fmt: skip


def _orders(c: sqlite3.Connection) -> None:
    _fill(
        c,
        "prescriptions",
        "row_id subject_id hadm_id starttime stoptime drug dose_val_rx dose_unit_rx route frequency status",
        [
            (1, 1, 101, "2024-05-01 12:00:00", "2024-05-06 15:00:00", "Metformin", "500", "mg", "PO", "BID", None),
            (2, 1, 102, "2025-02-25 12:00:00", "2025-02-26 08:00:00", "Metformin", "500", "mg", "PO", "BID", None),
            (3, 1, 102, "2025-02-26 09:00:00", None, "Furosemide", "40", "mg", "IV", "BID", None),
            (4, 1, 102, "2025-02-26 18:00:00", "2025-03-05 18:00:00", "Ceftriaxone", "1", "g", "IV", "DAILY", None),
            (5, 2, 201, "2025-01-10 23:00:00", "2025-01-17 23:00:00", "Levofloxacin", "750", "mg", "IV", "DAILY",
             None),
            (6, 2, 201, "2025-01-11 08:00:00", None, "Insulin", "4", "unit", "SC", "QID", None),
            (7, 3, 301, "2025-01-02 13:00:00", "2025-01-09 09:00:00", "Furosemide", "20", "mg", "PO", "DAILY", None),
        ],
    )  # fmt: skip
    _fill(
        c,
        "allergies",
        "row_id subject_id hadm_id charttime substance reaction severity status",
        [
            (1, 2, 201, "2025-01-10 20:30:00", "Penicillin", "rash", "moderate", "active"),
            (2, 3, 301, "2025-01-02 10:30:00", "Sulfonamide", "hives", "mild", "active"),
            (3, 3, 301, "2025-01-02 10:30:00", "Latex", "itching", "mild", "entered-in-error"),
        ],
    )
    _fill(
        c,
        "immunizations",
        "row_id subject_id hadm_id charttime vaccine status",
        [(1, 1, None, "2024-10-15 09:00:00", "Influenza, seasonal", "completed")],
    )
    _fill(
        c,
        "observations",
        "row_id subject_id hadm_id charttime label value category",
        [(1, 2, 201, "2025-01-10 20:40:00", "Tobacco smoking status", "Former smoker", "social-history")],
    )
    _fill(
        c,
        "diagnostic_reports",
        "row_id subject_id hadm_id charttime label category status conclusion",
        [
            (
                1,
                2,
                201,
                "2025-01-10 21:30:00",
                "Chest X-ray",
                "radiology",
                "final",
                "Right lower lobe pneumonia.",
            )
        ],
    )
    _fill(
        c,
        "cost",
        "row_id subject_id hadm_id event_type event_id chargetime cost currency",
        [
            (1, 1, 102, "labevents", 2, "2025-02-25 09:00:00", 30.5, "USD"),
            (2, 1, 102, "labevents", 3, "2025-02-26 06:00:00", 30.5, "USD"),
            (3, 1, 102, "procedures_icd", 1, "2025-02-27 14:00:00", 900.0, "USD"),
            (4, 2, 201, "prescriptions", 5, "2025-01-10 23:00:00", 12.25, "USD"),
            (5, 2, 201, "diagnoses_icd", 4, "2025-01-10 22:00:00", 8.0, "USD"),
        ],
    )


def _texts(c: sqlite3.Connection) -> None:
    notes = [
        (1, 1, 102, "2025-02-26 17:00:00", "progress", "病程记录", "Dr. 李", "zh", ZH_NOTE),
        (2, 2, 201, "2025-01-18 10:00:00", "discharge", "Discharge summary", "Dr. Test", "en", EN_NOTE),
        (3, 2, 201, "2025-01-10 21:30:00", "radiology", "Chest X-ray", "Dr. Film", "en", RADIOLOGY_NOTE),
    ]
    _fill(
        c,
        "notes",
        "note_id subject_id hadm_id charttime note_type title author language text sha256",
        [(*note, hashlib.sha256(note[-1].encode()).hexdigest()) for note in notes],
    )
