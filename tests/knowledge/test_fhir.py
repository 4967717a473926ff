"""FHIR R4 resources become rows, and what does not is accounted for."""

import base64
import gzip
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import ImportFailure
from knowledge.importers import load
from knowledge.importers.fhir import FhirReader
from knowledge.importers.records import Accepted, Item, Ref, Rejected, Row, Skipped
from knowledge.store.store import RecordStore

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
TERMS = "http://terminology.hl7.org/CodeSystem"
SUBJECT = {"reference": "Patient/p1"}


def coded(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def patient(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-06-15"} | fields


def encounter(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"system": f"{TERMS}/v3-ActCode", "code": "IMP"},
        "subject": SUBJECT,
        "period": {"start": "2020-06-14T23:30:00+08:00", "end": "2020-06-20T10:00:00+08:00"},
    } | fields


def condition(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": coded("s", "active"),
        "code": coded("http://hl7.org/fhir/sid/icd-10-cm", "N17.9", "Acute kidney failure"),
        "subject": SUBJECT,
        "encounter": {"reference": "Encounter/e1"},
    } | fields


def observation(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": [coded(f"{TERMS}/observation-category", "laboratory")],
        "code": coded(LOINC, "2160-0", "Creatinine"),
        "subject": SUBJECT,
        "effectiveDateTime": "2020-06-15T08:00:00+08:00",
    } | fields


def medication_request(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "stopped",
        "intent": "order",
        "medicationCodeableConcept": coded(
            "http://www.nlm.nih.gov/research/umls/rxnorm", "6809", "Metformin"
        ),
        "subject": SUBJECT,
        "authoredOn": "2020-06-15",
    } | fields


def document(data: bytes, content_type: str, **fields: Any) -> dict[str, Any]:
    attachment = {"contentType": content_type, "data": base64.b64encode(data).decode()}
    return {
        "resourceType": "DocumentReference",
        "id": "d1",
        "status": "current",
        "subject": SUBJECT,
        "type": coded(LOINC, "18842-5", "Discharge summary"),
        "content": [{"attachment": attachment}],
    } | fields


def claim(**fields: Any) -> dict[str, Any]:
    return {
        "resourceType": "Claim",
        "id": "cl1",
        "status": "active",
        "type": coded(f"{TERMS}/claim-type", "institutional"),
        "use": "claim",
        "patient": SUBJECT,
        "created": "2020-06-20T10:00:00+08:00",
        "provider": {"display": "Ward"},
        "priority": coded(f"{TERMS}/processpriority", "normal"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Medicare"}}],
        "item": [
            {
                "sequence": 1,
                "productOrService": {"text": "stay"},
                "encounter": [{"reference": "Encounter/e1"}],
            }
        ],
        "total": {"value": 129.16, "currency": "USD"},
    } | fields


def write_bundle(path: Path, *resources: dict[str, Any]) -> Path:
    entries = [
        {"fullUrl": f"http://ward/{r.get('resourceType')}/{r.get('id')}", "resource": r} for r in resources
    ]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return path


def write_ndjson(path: Path, *resources: dict[str, Any]) -> Path:
    text = "".join(json.dumps(resource) + "\n" for resource in resources)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read(source: Path) -> list[Item]:
    reader = FhirReader()
    return [item for file in reader.files(source) for item in reader.read(file)]


@pytest.fixture
def items(tmp_path: Path):
    def items_of(*resources: dict[str, Any]) -> list[Item]:
        return read(write_bundle(tmp_path / "bundle.json", *resources))

    return items_of


@pytest.fixture
def rows(items):
    def rows_of(table: str, *resources: dict[str, Any]) -> list[Row]:
        found = items(*resources)
        assert not [item for item in found if isinstance(item, Rejected)]
        return [
            row for item in found if isinstance(item, Accepted) for row in item.rows if row.table == table
        ]

    return rows_of


@pytest.fixture
def only(items):
    def only_of(resource: dict[str, Any]) -> Item:
        (item,) = items(resource)
        return item

    return only_of


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    return RecordStore.create(tmp_path / "store.sqlite")


def query(store: RecordStore, sql: str) -> list[tuple[Any, ...]]:
    with closing(store.connect()) as connection:
        return connection.execute(sql).fetchall()


# Patients and encounters


def test_a_patient_keeps_name_number_and_race(rows):
    race = {
        "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
        "extension": [{"url": "text", "valueString": "Asian"}],
    }
    number = {"type": coded(f"{TERMS}/v2-0203", "MR"), "value": "0042"}
    name = [{"use": "nickname", "given": ["Lili"]}, {"use": "official", "family": "李", "given": ["丽"]}]
    (row,) = rows("patients", patient(name=name, identifier=[number], extension=[race]))
    assert row.values == {
        "subject_id": Ref("patients", "p1"),
        "gender": "f",
        "dob": "1950-06-15 00:00:00",
        "dob_precision": "day",
        "dod": None,
        "name": "李丽",
        "mrn": "0042",
        "race": "Asian",
    }


@pytest.mark.parametrize(
    ("born", "stored", "precision"),
    [("1950", "1950-01-01 00:00:00", "year"), ("1950-06", "1950-06-01 00:00:00", "month")],
)
def test_a_partial_date_of_birth_says_how_precise_it_is(rows, born, stored, precision):
    (row,) = rows("patients", patient(birthDate=born))
    assert (row.values["dob"], row.values["dob_precision"]) == (stored, precision)
    (stay,) = rows("admissions", patient(birthDate=born), encounter())
    assert stay.values["age"] is None


@pytest.mark.parametrize(
    ("death", "value"), [({"deceasedBoolean": True}, "true"), ({"deceasedDateTime": "2021"}, "2021")]
)
def test_a_death_without_a_full_date_is_not_lost(rows, death, value):
    (person,) = rows("patients", patient(**death))
    (observed,) = rows("observations", patient(**death))
    assert person.values["dod"] is None
    assert (observed.values["label"], observed.values["value"]) == ("Deceased", value)


def test_an_encounter_is_an_admission_with_its_class_spelled_out_and_facts_of_its_patient(rows):
    person = patient(
        maritalStatus=coded(f"{TERMS}/v3-MaritalStatus", "M"),
        communication=[
            {"language": {"text": "English"}},
            {"language": {"text": "Chinese"}, "preferred": True},
        ],
    )
    stay = encounter(
        reasonCode=[coded(SNOMED, "1", "Chest pain")],
        hospitalization={"dischargeDisposition": {"text": "Home"}, "admitSource": {"text": "From clinic"}},
    )
    (row,) = rows("admissions", stay, person, claim())
    assert row.values == {
        "subject_id": Ref("patients", "p1"),
        "hadm_id": Ref("admissions", "e1"),
        "admittime": "2020-06-14 23:30:00",  # the clock on the ward's wall, not UTC
        "dischtime": "2020-06-20 10:00:00",
        "admission_type": "inpatient",
        "admission_location": "From clinic",
        "discharge_location": "Home",
        "insurance": "Medicare",
        "language": "Chinese",
        "marital_status": "married",
        "age": 69,  # her birthday is the day after
        "reason": "Chest pain",
    }


@pytest.mark.parametrize("status", ["planned", "cancelled", "entered-in-error"])
def test_an_encounter_that_did_not_take_place_is_skipped(only, status):
    assert only(encounter(status=status)) == Skipped(
        "Encounter", f"status is {status}: it did not take place"
    )


def test_an_encounter_without_a_full_start_is_rejected(only):
    item = only(encounter(period={"start": "2020"}))
    assert isinstance(item, Rejected)
    assert item.reason.startswith("period.start:")


# Diagnoses, procedures, allergies, immunizations


def test_a_condition_keeps_code_system_status_and_end(rows):
    found = condition(onsetDateTime="2020-06-14", abatementDateTime="2020-07-01T08:00:00Z")
    (title,) = rows("d_icd_diagnoses", found)
    assert title.values == {"icd_code": "icd10|N179", "long_title": "Acute kidney failure"}
    (row,) = rows("diagnoses_icd", found)
    assert row.values["hadm_id"] == Ref("admissions", "e1", optional=True)
    assert row.values["charttime"] == "2020-06-14 00:00:00"
    assert row.values["endtime"] == "2020-07-01 08:00:00"
    assert row.values["status"] == "active"


def test_a_partial_onset_becomes_no_date_rather_than_the_date_of_recording(rows):
    (row,) = rows("diagnoses_icd", condition(onsetDateTime="1998", recordedDate="2020-06-14"))
    assert row.values["charttime"] is None


def test_of_several_codings_the_icd_one_counts_and_unknown_systems_keep_their_address(rows):
    both = {"coding": coded(SNOMED, "14669001")["coding"] + condition()["code"]["coding"]}
    assert rows("diagnoses_icd", condition(code=both))[0].values["icd_code"] == "icd10|N179"
    own = condition(code=coded("http://ward/codes", "X.1", "Own"))
    assert rows("diagnoses_icd", own)[0].values["icd_code"] == "http://ward/codes|X.1"


def test_a_refuted_condition_is_an_observation_and_never_a_diagnosis(rows):
    refuted = condition(verificationStatus=coded("s", "refuted"))
    assert rows("diagnoses_icd", refuted) == []
    (row,) = rows("observations", refuted)
    assert (row.values["label"], row.values["value"]) == ("Acute kidney failure", "refuted")


def test_a_condition_entered_in_error_is_skipped(only):
    item = only(condition(verificationStatus=coded("s", "entered-in-error")))
    assert item == Skipped("Condition", "verificationStatus is entered-in-error")


def test_an_unconfirmed_condition_does_not_read_as_active(rows):
    (row,) = rows("diagnoses_icd", condition(verificationStatus=coded("s", "provisional")))
    assert row.values["status"] == "active, provisional"


def test_a_procedure_that_was_not_done_is_no_procedure(rows, only):
    done = {
        "resourceType": "Procedure",
        "id": "pr1",
        "status": "completed",
        "code": coded(SNOMED, "80146002", "Appendectomy"),
        "subject": SUBJECT,
        "performedPeriod": {"start": "2020-06-15T08:00:00Z", "end": "2020-06-15T09:00:00Z"},
    }
    (row,) = rows("procedures_icd", done)
    assert (row.values["icd_code"], row.values["endtime"]) == ("snomed|80146002", "2020-06-15 09:00:00")
    assert rows("procedures_icd", done | {"status": "not-done"}) == []
    assert rows("observations", done | {"status": "not-done"})[0].values["value"] == "not done"
    assert isinstance(only(done | {"status": "preparation"}), Skipped)


def test_an_allergy_keeps_reactions_and_the_worst_severity(rows):
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "patient": SUBJECT,
        "clinicalStatus": coded("s", "active"),
        "code": {"text": "Penicillin"},
        "reaction": [
            {"manifestation": [{"text": "Rash"}], "severity": "mild"},
            {"manifestation": [{"text": "Anaphylaxis"}], "severity": "severe"},
        ],
    }
    (row,) = rows("allergies", allergy)
    assert row.values["substance"] == "Penicillin"
    assert (row.values["reaction"], row.values["severity"]) == ("Rash; Anaphylaxis", "severe")
    assert rows("allergies", allergy | {"verificationStatus": coded("s", "refuted")}) == []


def test_a_vaccine_that_was_refused_is_no_immunization(rows):
    given = {
        "resourceType": "Immunization",
        "id": "i1",
        "status": "completed",
        "vaccineCode": coded("http://hl7.org/fhir/sid/cvx", "140", "Influenza"),
        "patient": SUBJECT,
        "occurrenceDateTime": "2020-10-01",
    }
    assert rows("immunizations", given)[0].values["code"] == "cvx|140"
    assert rows("immunizations", given | {"status": "not-done"}) == []


# Drugs


def test_a_prescription_keeps_its_dosage(rows):
    dosage = {
        "route": {"text": "oral"},
        "timing": {
            "repeat": {
                "frequency": 2,
                "period": 1,
                "periodUnit": "d",
                "boundsPeriod": {"start": "2020-06-16", "end": "2020-06-30"},
            }
        },
        "doseAndRate": [{"doseQuantity": {"value": 500, "unit": "mg"}}],
    }
    (row,) = rows("prescriptions", medication_request(dosageInstruction=[dosage]))
    assert row.values["drug"] == "Metformin"
    assert row.values["code"] == "rxnorm|6809"
    assert (row.values["dose_val_rx"], row.values["dose_unit_rx"], row.values["route"]) == (
        "500",
        "mg",
        "oral",
    )
    assert row.values["frequency"] == "2 per 1 d"
    assert (row.values["starttime"], row.values["stoptime"]) == ("2020-06-16 00:00:00", "2020-06-30 00:00:00")


def test_a_stopped_prescription_gets_no_invented_stop(rows):
    (row,) = rows("prescriptions", medication_request())
    assert (row.values["status"], row.values["stoptime"]) == ("stopped", None)


def test_a_drug_is_found_through_a_contained_or_a_separate_medication(rows):
    medication = {"resourceType": "Medication", "id": "med", "code": {"text": "Warfarin"}}
    order = medication_request()
    del order["medicationCodeableConcept"]
    contained = order | {"contained": [medication], "medicationReference": {"reference": "#med"}}
    assert rows("prescriptions", contained)[0].values["drug"] == "Warfarin"
    separate = order | {"medicationReference": {"reference": "Medication/med"}}
    assert rows("prescriptions", separate, medication)[0].values["drug"] == "Warfarin"


def test_an_order_not_to_give_a_drug_is_no_prescription(only):
    assert isinstance(only(medication_request(doNotPerform=True)), Skipped)


def test_what_a_patient_reports_to_take_is_marked(rows):
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": "active",
        "medicationCodeableConcept": {"text": "St John's wort"},
        "subject": SUBJECT,
    }
    assert rows("prescriptions", statement)[0].values["drug_type"] == "reported"


def test_a_dose_that_was_given_is_an_input_event(rows, only):
    given = {
        "resourceType": "MedicationAdministration",
        "id": "ma1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "Norepinephrine"},
        "subject": SUBJECT,
        "effectiveDateTime": "2020-06-15T08:00:00Z",
        "dosage": {"dose": {"value": 4, "unit": "mg"}},
    }
    (row,) = rows("inputevents", given)
    assert (row.values["amount"], row.values["amountuom"]) == (4.0, "mg")
    assert isinstance(only(given | {"status": "not-done"}), Skipped)


# Observations


def test_a_lab_value_keeps_unit_range_flag_and_the_digits_as_reported(items, tmp_path):
    path = write_bundle(
        tmp_path / "lab.json",
        observation(
            valueQuantity={"value": 1, "unit": "mg/dL"},
            referenceRange=[{"low": {"value": 0.5}, "high": {"value": 1.1}}],
            interpretation=[coded(f"{TERMS}/v3-ObservationInterpretation", "H")],
        ),
    )
    path.write_text(path.read_text().replace('{"value": 1, "unit"', '{"value": 1.90, "unit"'))
    (item,) = read(path)
    assert isinstance(item, Accepted)
    label, row = item.rows
    assert label.values == {
        "itemid": Ref("d_labitems", "loinc|2160-0"),
        "label": "Creatinine",
        "category": "laboratory",
        "code": "loinc|2160-0",
    }
    assert row.table == "labevents"
    assert (row.values["valuenum"], row.values["value"], row.values["valueuom"]) == (1.9, "1.90", "mg/dL")
    assert (row.values["ref_range_lower"], row.values["ref_range_upper"]) == (0.5, 1.1)
    assert row.values["flag"] == "high"


def test_a_limit_is_not_a_measured_number(rows):
    (row,) = rows("labevents", observation(valueQuantity={"value": 5, "comparator": "<", "unit": "ng/L"}))
    assert (row.values["valuenum"], row.values["value"]) == (None, "<5")


def test_each_component_of_a_vital_sign_is_charted(rows):
    pressure = observation(
        category=[coded(f"{TERMS}/observation-category", "vital-signs")],
        code=coded(LOINC, "85354-9", "Blood pressure"),
        component=[
            {"code": coded(LOINC, "8480-6", "Systolic"), "valueQuantity": {"value": 141, "unit": "mmHg"}},
            {"code": coded(LOINC, "8462-4", "Diastolic"), "valueQuantity": {"value": 84, "unit": "mmHg"}},
        ],
    )
    found = rows("chartevents", pressure)
    assert [(row.source_id, row.values["valuenum"]) for row in found] == [("o1#1", 141.0), ("o1#2", 84.0)]
    assert rows("observations", pressure) == []


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"valueCodeableConcept": {"text": "Never smoker"}}, "Never smoker"),
        ({"valueString": "cloudy"}, "cloudy"),
        ({"valueBoolean": False}, "false"),
        (
            {"valueRange": {"low": {"value": 2, "unit": "cm"}, "high": {"value": 3, "unit": "cm"}}},
            "2 cm to 3 cm",
        ),
        ({"dataAbsentReason": coded("s", "not-performed", "Not Performed")}, "Not Performed"),
    ],
)
def test_what_is_no_number_is_an_observation(rows, value, stored):
    (row,) = rows("observations", observation(**value))
    assert row.values["value"] == stored


def test_an_observation_of_a_device_is_skipped_and_one_of_nobody_rejected(only):
    assert isinstance(only(observation(subject={"reference": "Device/x"})), Skipped)
    nobody = observation()
    del nobody["subject"]
    assert isinstance(only(nobody), Rejected)


# Reports, documents, costs


def test_a_report_keeps_its_conclusion_and_its_text_becomes_a_note(rows):
    text = base64.b64encode("右肺阴影。\r\n建议复查。".encode("gb18030")).decode()
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "category": [{"text": "Radiology"}],
        "code": {"text": "Chest CT"},
        "subject": SUBJECT,
        "conclusion": "Nodule.",
        "presentedForm": [{"contentType": "text/plain; charset=gb18030", "data": text}],
    }
    assert rows("diagnostic_reports", report)[0].values["conclusion"] == "Nodule."
    (note,) = rows("notes", report)
    assert note.values["text"] == "右肺阴影。\n建议复查。"
    assert (note.values["note_type"], note.values["language"]) == ("radiology", "zh")


def test_a_document_becomes_a_note_of_its_type(rows):
    (note,) = rows(
        "notes",
        document(b"Discharged in good health.", "text/plain", author=[{"display": "Dr. Example"}]),
    )
    assert note.values["note_type"] == "discharge"
    assert note.values["author"] == "Dr. Example"
    assert note.values["text"] == "Discharged in good health."


def test_a_text_that_is_both_report_and_document_is_one_note(rows, items):
    text = b"Right lower lobe pneumonia."
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "code": {"text": "Chest X-ray"},
        "subject": SUBJECT,
        "effectiveDateTime": "2020-06-15T08:00:00+08:00",
        "presentedForm": [document(text, "text/plain")["content"][0]["attachment"]],
    }
    same = document(text, "text/plain", date="2020-06-15T08:00:00+08:00")
    assert len(rows("notes", same, report)) == 1
    assert isinstance(items(same, report)[-1], Skipped)
    later = document(text, "text/plain", date="2020-06-16T08:00:00+08:00")
    assert len(rows("notes", later, report)) == 2  # copied forward: two notes say so


def test_html_is_stripped_to_what_a_browser_shows(rows):
    page = b"<html><head><title>x</title></head><h1>Plan</h1><p>No&nbsp;fever &lt; 38<script>x()</script></p>"
    (note,) = rows("notes", document(page, "text/html"))
    assert note.values["text"] == "Plan\nNo fever < 38"


def test_a_document_in_a_binary_of_the_same_bundle_is_read(rows):
    linked = document(b"", "text/plain")
    linked["content"][0]["attachment"] = {"contentType": "text/plain", "url": "Binary/b1"}
    binary = {
        "resourceType": "Binary",
        "id": "b1",
        "contentType": "text/plain",
        "data": base64.b64encode(b"Stable.").decode(),
    }
    assert rows("notes", linked, binary)[0].values["text"] == "Stable."


@pytest.mark.parametrize(
    ("attachment", "reason"),
    [
        ({"contentType": "text/plain", "url": "http://elsewhere/1"}, "only a link"),
        ({"contentType": "image/png", "data": "AAAA"}, "contentType"),
        ({"contentType": "application/pdf", "data": "AAAA"}, "damaged PDF"),
        ({"contentType": "text/plain", "data": "AAAAA"}, "base64"),
        ({"contentType": "text/plain", "data": base64.b64encode(b"a\0b").decode()}, "NUL"),
    ],
)
def test_a_document_without_readable_text_is_rejected(only, attachment, reason):
    item = only(document(b"", "text/plain", content=[{"attachment": attachment}]))
    assert isinstance(item, Rejected)
    assert reason in item.reason


def test_a_superseded_document_is_skipped(only):
    assert isinstance(only(document(b"Old.", "text/plain", status="superseded")), Skipped)


def test_a_claim_is_the_cost_of_its_prescription_or_encounter(rows):
    (stay,) = rows("cost", claim())
    assert stay.values["event_type"] == "admissions"
    assert stay.values["event_id"] == Ref("admissions", "e1")
    assert stay.values["cost"] == 129.16
    assert stay.source_id == "cl1"
    (drug,) = rows("cost", claim(prescription={"reference": "MedicationRequest/m1"}))
    assert drug.values["event_id"] == Ref("prescriptions", "m1")


def test_a_request_for_leave_in_advance_costs_nothing(only):
    assert isinstance(only(claim(use="preauthorization")), Skipped)


# References


@pytest.mark.parametrize(
    "reference",
    ["Patient/p1", "http://ward/fhir/Patient/p1", "http://ward/fhir/Patient/p1/_history/3", "urn:uuid:p1"],
)
def test_every_form_of_reference_leads_to_the_patient(rows, reference):
    (row,) = rows("labevents", observation(valueInteger=3, subject={"reference": reference}))
    assert row.values["subject_id"] == Ref("patients", "p1")


def test_an_id_counts_only_within_its_kind(rows, only):
    (row,) = rows("labevents", observation(valueInteger=3, encounter={"reference": "EpisodeOfCare/e1"}))
    assert row.values["hadm_id"] is None
    assert isinstance(only(observation(valueInteger=3, subject={"reference": "Practitioner/p1"})), Rejected)


def test_a_reference_by_identifier_is_resolved_within_the_bundle(rows):
    person = patient(identifier=[{"system": "mrn", "value": "42"}])
    for subject in (
        {"reference": "Patient?identifier=mrn|42"},
        {"identifier": {"system": "mrn", "value": "42"}},
    ):
        (row,) = rows("labevents", person, observation(valueInteger=3, subject=subject))
        assert row.values["subject_id"] == Ref("patients", "p1")


def test_a_full_url_stands_for_an_id_that_the_server_is_to_give(tmp_path):
    person = patient()
    del person["id"]
    lab = observation(valueInteger=3, subject={"reference": "urn:uuid:77"})
    entries = [{"fullUrl": "urn:uuid:77", "resource": person}, {"resource": lab}]
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    keys = [
        row.values.get("subject_id") for item in read(path) if isinstance(item, Accepted) for row in item.rows
    ]
    assert keys.count(Ref("patients", "77")) == 2


# What is skipped and what is rejected


def test_types_without_a_place_are_counted_with_a_reason(items):
    found = items({"resourceType": "Goal", "id": "g1"}, {"resourceType": "Goal", "id": "g2"})
    assert found == [Skipped("Goal", "the store has no place for this type", 2)]


def test_an_explanation_of_benefit_would_count_costs_twice(only):
    item = only({"resourceType": "ExplanationOfBenefit", "id": "x"})
    assert isinstance(item, Skipped)
    assert "twice" in item.reason


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ({"resourceType": "Spaceship", "id": "x"}, "resourceType"),
        ({"id": "x"}, "resourceType"),
        (patient(gender=5), "gender"),
        (patient(gender="secret-word"), "gender"),
        (patient(birthDate="15/06/1950"), "birthDate"),
        (patient(deceasedDateTime=1592179200), "deceasedDateTime"),
        (encounter(period={"start": 1592179200}), "period.start"),
        (patient(favourite="secret-word"), "favourite"),
        (patient(modifierExtension=[{"url": "http://x", "valueBoolean": True}]), "modifierExtension"),
        (observation(valueQuantity={"value": "secret-word"}), "valueQuantity.value"),
        (condition(code={"text": " "}), "code"),
    ],
)
def test_a_resource_that_breaks_a_rule_is_rejected_by_path_without_its_values(only, resource, path):
    item = only(resource)
    assert isinstance(item, Rejected)
    assert path in item.reason
    assert "secret" not in item.reason
    assert "1950" not in item.reason
    assert json.loads(item.raw) == resource


def test_a_resource_without_id_is_rejected(tmp_path):
    person = patient()
    del person["id"]
    (item,) = read(write_ndjson(tmp_path / "Patient.ndjson", person))
    assert isinstance(item, Rejected)
    assert item.reason.startswith("id: is missing")


def test_another_release_of_fhir_is_named(only):
    old = condition(clinicalStatus="active", verificationStatus="confirmed", context={"reference": "e1"})
    del old["encounter"]
    item = only(old)
    assert isinstance(item, Rejected)
    assert "FHIR STU3" in item.reason


def test_a_bundle_that_is_not_json_fails_as_a_whole_without_quoting_it(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text('{"resourceType": "Bundle", "entry": [{"resource": {"id": "secret-word"')
    with pytest.raises(ImportFailure, match="line 1, column") as caught:
        read(path)
    assert "secret" not in str(caught.value)


def test_a_truncated_line_is_rejected_and_the_others_land(tmp_path):
    path = write_ndjson(tmp_path / "Patient.ndjson", patient(), patient(id="p2"))
    path.write_text(path.read_text()[:-30])
    first, second = read(path)
    assert isinstance(first, Accepted)
    assert isinstance(second, Rejected)
    assert second.line == 2


def test_a_truncated_archive_fails_as_a_whole(tmp_path):
    path = write_ndjson(tmp_path / "Patient.ndjson.gz", *(patient(id=f"p{n}") for n in range(2000)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ImportFailure, match="truncated"):
        read(path)


def test_a_damaged_file_of_an_export_fails_alone(tmp_path, store):
    (tmp_path / "export").mkdir()
    write_ndjson(tmp_path / "export" / "Patient.ndjson", patient())
    damaged = write_ndjson(
        tmp_path / "export" / "Goal.ndjson.gz", *({"resourceType": "Goal"} for _ in range(999))
    )
    damaged.write_bytes(damaged.read_bytes()[:40])
    report = load(tmp_path / "export", store)
    assert report.counts.accepted == 1


def test_files_that_are_not_fhir_are_left_to_other_readers(tmp_path):
    (tmp_path / "settings.json").write_text('{"a": 1}')
    (tmp_path / "patients.csv").write_text("subject_id\n1\n")
    assert FhirReader().files(tmp_path) == []


# Through the loader


def test_a_bundle_loads_whatever_its_order_and_loads_nothing_twice(tmp_path, store):
    resources = [
        claim(prescription={"reference": "MedicationRequest/m1"}),
        observation(valueQuantity={"value": 1.9, "unit": "mg/dL"}),
        medication_request(),
        condition(),
        encounter(),
        patient(),
    ]
    path = write_bundle(tmp_path / "a.json", *resources)
    report = load(path, store)
    assert (report.counts.accepted, report.counts.rejected) == (6, 0)
    again = load(write_bundle(tmp_path / "b.json", *reversed(resources)), store)
    assert (again.counts.accepted, again.counts.duplicates) == (0, 6)
    assert query(store, "SELECT label, valuenum FROM labevents JOIN d_labitems USING (itemid)") == [
        ("Creatinine", 1.9)
    ]
    assert query(store, "SELECT drug, cost FROM cost JOIN prescriptions p ON event_id = p.row_id") == [
        ("Metformin", 129.16)
    ]


def test_a_bulk_export_loads_type_by_type_and_encounters_know_their_patient(tmp_path, store):
    folder = tmp_path / "export"
    folder.mkdir()
    write_ndjson(folder / "Condition.ndjson", condition())
    write_ndjson(folder / "Encounter.ndjson.gz", encounter())
    write_ndjson(folder / "Patient.ndjson", patient())
    write_ndjson(folder / "000.Observation.ndjson", observation(valueInteger=3))
    assert [file.path.name for file in FhirReader().files(folder)] == [
        "Patient.ndjson",
        "Encounter.ndjson.gz",
        "Condition.ndjson",
        "000.Observation.ndjson",
    ]
    report = load(folder, store)
    assert (report.counts.accepted, report.counts.rejected) == (4, 0)
    assert query(store, "SELECT age FROM admissions") == [(69,)]


def test_a_later_file_finds_a_patient_of_an_earlier_one_and_a_stranger_is_quarantined(tmp_path, store):
    load(write_bundle(tmp_path / "a.json", patient()), store)
    lab = observation(valueInteger=3)
    stranger = observation(id="o2", valueInteger=4, subject={"reference": "Patient/nobody"})
    report = load(write_bundle(tmp_path / "b.json", lab, stranger), store)
    assert (report.counts.accepted, report.counts.rejected) == (1, 1)
    assert query(store, "SELECT item, line FROM quarantine") == [("Observation", 2)]


def test_an_event_of_an_encounter_that_never_comes_stays_with_its_patient(tmp_path, store):
    load(write_bundle(tmp_path / "a.json", patient(), condition(), encounter(status="cancelled")), store)
    assert query(store, "SELECT icd_code, hadm_id FROM diagnoses_icd") == [("icd10|N179", None)]


def test_all_resources_of_the_public_bundles_are_accounted_for(shared_data, store):
    report = load(shared_data / "synthea-fhir", store)
    assert (report.counts.accepted, report.counts.rejected, report.counts.skipped) == (1734, 0, 336)
    assert report.counts.unlinked == 0
    stored = {table: query(store, f"SELECT count(*) FROM {table}")[0][0] for table in store.tables}
    wanted = {
        "patients": 14,
        "admissions": 160,
        "diagnoses_icd": 57,
        "procedures_icd": 55,
        "prescriptions": 32,
        "labevents": 446,
        "chartevents": 559,
        "observations": 93,
        "allergies": 1,
        "immunizations": 162,
        "diagnostic_reports": 56,
        "cost": 192,
    }
    assert {table: stored[table] for table in wanted} == wanted
