"""What English sentences say of what they name."""

import pytest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No fever, chills or cough.", {"fever": "negated", "cough": "negated"}),
        ("No fever, has cough.", {"fever": "negated", "cough": "present"}),
        ("She denies fever but has a cough.", {"fever": "negated", "cough": "present"}),
        ("Negative for fever; positive for cough.", {"fever": "negated", "cough": "present"}),
        ("Fever has resolved.", {"Fever": "negated"}),
        ("Diabetes was ruled out.", {"Diabetes": "negated"}),
        ("Hypertension, diabetes: none", {"diabetes": "negated", "Hypertension": "negated"}),
        ("He did not have any complaints of chest pain.", {"chest pain": "negated"}),
        ("There are no findings to suggest appendicitis.", {"appendicitis": "negated"}),
    ],
)
def test_negations_reach_over_lists_and_end_at_a_turn(said, text, expected):
    assert said(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "No increase in fever.",
        "Not only fever was noted.",
        "No change in cough.",
        "Uncontrolled hypertension.",
        "The cough did not improve, fever persists.",
    ],
)
def test_what_only_looks_like_a_negation_negates_nothing(said, text):
    assert "negated" not in said(text).values()


@pytest.mark.parametrize(
    ("text", "assertion"),
    [
        ("Possible appendicitis.", "possible"),
        ("Appendicitis cannot be excluded.", "possible"),
        ("CT to rule out appendicitis.", "possible"),
        ("Concern for appendicitis.", "possible"),
        ("Appendicitis is unlikely.", "negated"),
        ("History of appendicitis.", "historical"),
        ("Status post appendectomy for appendicitis 10 years ago.", "historical"),
        ("Return if you develop appendicitis.", "hypothetical"),
        ("Family history of appendicitis.", "family family"),
        ("Her sister had appendicitis.", "family family"),
        ("No family history of appendicitis.", "negated family"),
        ("Sister denies appendicitis.", "negated"),
        ("Per his mother, he has appendicitis.", "present"),
        ("Roommate was diagnosed with appendicitis.", "present other"),
    ],
)
def test_possible_past_future_and_others(said, text, assertion):
    found = said(text)
    assert {name.lower(): found[name] for name in found}["appendicitis"] == assertion


def test_a_finding_under_a_circumstance_is_conditional(said):
    assert said("Chest pain on exertion.") == {"Chest pain": "conditional"}


def test_the_patient_ends_what_is_said_of_a_relative(said):
    assert said("Mother with diabetes, patient with hypertension.") == {
        "diabetes": "family family",
        "hypertension": "present",
    }


def test_a_label_in_capitals_begins_anew(said):
    assert said("EXAM WITHOUT CONTRAST ON MONDAY CLINICAL HISTORY: diabetes") == {"diabetes": "present"}


def test_the_complaint_after_a_history_is_of_today(said):
    text = "History of diabetes, presents to the emergency department with chest pain."
    assert said(text) == {"diabetes": "historical", "chest pain": "present"}


def test_sections_speak_where_sentences_are_silent(said):
    text = (
        "Family History:\nDiabetes, hypertension. No breast cancer.\n"
        "Past Medical History:\nAnemia. Currently has cough.\n"
        "Return precautions:\nFever, chest pain.\n"
        "Assessment:\nAppendicitis."
    )
    assert said(text) == {
        "Diabetes": "family family",
        "hypertension": "family family",
        "breast cancer": "negated family",
        "Anemia": "historical",
        "cough": "present",
        "Fever": "hypothetical",
        "chest pain": "hypothetical",
        "Appendicitis": "present",
    }


def test_sections_are_seen_without_line_breaks(said):
    text = "Assessment: anemia. Family History: diabetes. Past Medical History: hypertension."
    assert said(text) == {"anemia": "present", "diabetes": "family family", "hypertension": "historical"}


def test_words_inside_a_name_say_nothing_of_other_names(finder):
    found = finder.find("Not-otherwise anemia", targets=["Not-otherwise anemia"])
    assert [mention.assertion for mention in found if mention.text == "Not-otherwise anemia"] == ["present"]


def test_precautions_for_a_time_are_no_finding(said):
    assert said("Telemetry; appendicitis precautions for 48 h.") == {"appendicitis": "hypothetical"}
    assert said("Precautions for appendicitis.") == {"appendicitis": "hypothetical"}
