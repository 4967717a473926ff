"""The catalogue's own quality: it loads, covers both languages, and its examples are told apart."""

import pytest
import yaml
from pydantic import ValidationError

from agent.planning.calibrate import measure, outcomes
from agent.planning.classifier import Training
from agent.planning.intent import Intent, load_asides, load_intents


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


def test_examples_left_out_are_classified_to_their_intent() -> None:
    found = [outcome for outcome in outcomes(Training.of_catalogue()) if not outcome.aside]
    for language in ("en", "zh"):
        right = [outcome.right for outcome in found if outcome.language == language]
        assert sum(right) / len(right) > 0.92, language


def test_confidence_is_calibrated_and_most_asides_are_not_answered_by_a_query() -> None:
    measured = measure(Training.of_catalogue())
    assert measured["ece"] < 0.05  # type: ignore[operator]
    assert measured["asides_answered_by_tables"] < 0.15  # type: ignore[operator]
    assert measured["precision_of_answered"] > 0.94  # type: ignore[operator]
