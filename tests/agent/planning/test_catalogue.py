"""The catalogue's own quality: it loads, covers both languages, and its examples are told apart."""

import pytest
import yaml
from pydantic import ValidationError

from agent.planning.calibrate import THRESHOLD, Outcome, accuracy, across_authors, measure
from agent.planning.confidence import calibration
from agent.planning.examples import examples
from agent.planning.intent import Intent, load_asides, load_intents, load_wordings
from knowledge.errors import ConfigError


def test_every_intent_has_examples_in_both_languages_and_fills_with_and_without_its_options() -> None:
    intents = load_intents()
    assert len(intents) >= 60
    assert all(len(intent.en) >= 6 and len(intent.zh) >= 6 for intent in intents)


def test_no_example_stands_for_two_intents() -> None:
    examples = [text for intent in load_intents() for text in (*intent.en, *intent.zh)]
    examples += [aside.text for aside in load_asides()]
    assert len(examples) == len(set(examples))


def test_at_least_150_questions_outside_the_tables_compete_with_the_intents() -> None:
    assert len(load_asides()) >= 150


def test_a_template_with_an_unknown_slot_or_field_is_refused() -> None:
    item = yaml.safe_load(
        "{intent: x, about: x, patient: one, slots: [planet], query: {ask: {ask: exists}, of: {domain: lab}},"
        " en: [a, b, c, d, e, f], zh: [a, b, c, d, e, f]}"
    )
    with pytest.raises(ValidationError, match="planet"):
        Intent.model_validate(item)
    with pytest.raises(ValidationError):
        Intent.model_validate(
            {**item, "slots": [], "query": {"ask": {"ask": "dance"}, "of": {"domain": "lab"}}}
        )


@pytest.fixture(scope="module")
def tried() -> list[Outcome]:
    return across_authors(examples())


def test_questions_of_an_author_that_was_not_learnt_from_are_mostly_read_right(tried: list[Outcome]) -> None:
    found = accuracy(tried, aside=False)
    assert found["en"] > 0.77
    assert found["zh"] > 0.84


def test_confidence_is_calibrated_and_most_asides_are_not_answered_by_a_query(tried: list[Outcome]) -> None:
    measured = measure(tried, THRESHOLD)
    assert measured["ece"] < 0.05  # type: ignore[operator]
    assert measured["asides_answered_by_tables"] < 0.2  # type: ignore[operator]
    assert measured["precision_of_answered"] > 0.86  # type: ignore[operator]


def test_the_stored_calibration_is_the_measured_one(tried: list[Outcome]) -> None:
    measured = measure(tried, THRESHOLD)
    stored = calibration()
    assert stored.threshold == THRESHOLD
    assert (stored.intercept, *stored.coefficients) == pytest.approx(
        (measured["intercept"], *measured["coefficients"]),  # type: ignore[misc]
        abs=0.2,
    )


def test_further_wordings_are_examples_of_their_intent() -> None:
    by_name = {intent.intent: intent for intent in load_intents()}
    for language, wordings in load_wordings().items():
        for name, texts in wordings.items():
            assert set(texts) <= set(by_name[name].examples(language))


def test_a_wording_that_names_what_the_intent_has_no_slot_for_is_refused() -> None:
    intent = next(intent for intent in load_intents() if intent.intent == "latest_value")
    with pytest.raises(ConfigError, match="drug"):
        intent.check(["what is the {drug}?"])
