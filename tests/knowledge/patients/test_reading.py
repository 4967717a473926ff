"""Reading the patient graph: drugs that run, results, allergies, what is denied."""

NOW = "2025-03-01 12:00:00"


def test_a_drug_runs_from_its_start_to_its_end(hospital) -> None:
    graph = hospital.updated()
    at = {time: [o.wording for o in graph.drugs(1, time)] for time in ("2025-02-25 13:00:00", NOW)}
    assert at["2025-02-25 13:00:00"] == ["Metformin"]
    assert at[NOW] == ["Ceftriaxone", "Furosemide"]


def test_an_open_ended_order_ends_with_its_admission(hospital) -> None:
    assert [o.wording for o in hospital.updated().drugs(2, NOW)] == []


def test_an_order_whose_status_says_so_is_over(hospital) -> None:
    hospital.run(("UPDATE prescriptions SET status = 'stopped' WHERE row_id = 3", ()))
    assert [o.wording for o in hospital.updated().drugs(1, NOW)] == ["Ceftriaxone"]


def test_a_drug_is_known_by_its_ingredients_whatever_the_wording(hospital) -> None:
    for drug in ("Metoprolol Succinate XL", "Piperacillin-Tazobactam", "盐酸二甲双胍片", "500 mg Aspirin"):
        hospital.run(
            (
                "INSERT INTO prescriptions (subject_id, starttime, drug, status) "
                "VALUES (4, '2025-02-28 09:00:00', ?, 'active')",
                (drug,),
            )
        )
    found = {o.wording: o.concepts for o in hospital.updated().drugs(4, NOW)}
    assert found["Metoprolol Succinate XL"] == ("drug:metoprolol",)
    assert found["盐酸二甲双胍片"] == ("drug:metformin",)
    assert found["500 mg Aspirin"] == ("drug:aspirin",)
    assert len(found["Piperacillin-Tazobactam"]) == 1


def test_results_come_newest_first_with_unit_and_row(hospital) -> None:
    newest, before = hospital.updated().results(1, "lab:creatinine", limit=2)
    assert (newest.value, newest.text) == (None, "hemolyzed")
    assert (before.value, before.unit, before.row.row_id) == (1.9, "mg/dL", 4)


def test_nothing_later_than_asked_for_is_read(hospital) -> None:
    (found,) = hospital.updated().results(1, "lab:creatinine", until="2025-02-25 23:00:00")
    assert found.value == 1.2


def test_what_is_measured_in_urine_is_not_taken_for_blood(hospital) -> None:
    hospital.run(
        ("INSERT INTO d_labitems (itemid, label, fluid) VALUES (1, 'Creatinine', 'Urine')", ()),
        (
            "INSERT INTO labevents (subject_id, itemid, charttime, valuenum, valueuom) "
            "VALUES (1, 1, '2025-03-01 06:00:00', 80, 'mg/dL')",
            (),
        ),
    )
    assert hospital.updated().results(1, "lab:creatinine")[0].row.row_id == 8


def test_an_allergy_to_penicillin_is_one_to_the_class(hospital) -> None:
    (said,) = hospital.updated().allergies(2)
    assert said.concept == "drug_class:penicillin"


def test_an_allergy_entered_in_error_is_none(hospital) -> None:
    assert [said.name for said in hospital.updated().allergies(3)] != []
    assert "Latex" not in {said.name for said in hospital.updated().allergies(3)}


def test_what_a_note_denies_is_told_apart_from_what_it_does_not_say(hospital) -> None:
    denied = {said.concept for said in hospital.updated().denied(1)}
    assert "finding:chest-pain" in denied or "disease:chest-pain" in denied
    assert not {"disease:asthma", "finding:cough"} & denied


def test_the_organism_of_a_culture_is_a_concept(hospital) -> None:
    grown = hospital.updated().statements(1, relations=("grew",))
    assert {said.concept for said in grown} == {"organism:escherichia-coli"}
