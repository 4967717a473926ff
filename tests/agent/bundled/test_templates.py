"""Question templates: what they generate can be learnt from."""

import random

import pytest

from agent.bundled.script import ASIDES
from agent.bundled.training.check import fault_of
from agent.bundled.training.templates import LANGUAGES, Template, generate, load_templates, realise


def test_every_wording_has_a_plan_that_is_a_script() -> None:
    faults = [
        (template.language, template.file, ask, fault)
        for template in load_templates()
        for ask in template.ask
        if (fault := fault_of(realise(template, ask, random.Random(ask)))) is not None
    ]
    assert faults == []


def test_there_are_templates_in_both_languages_and_for_every_aside() -> None:
    for language in LANGUAGES:
        plans = {template.plan for template in load_templates() if template.language == language}
        assert len(plans - {*ASIDES}) > 200
        assert {*ASIDES} <= plans


def test_the_same_seed_draws_the_same_questions() -> None:
    first, second = (list(generate(5, {"en": 1, "zh": 1})) for _ in range(2))
    assert first == second


def test_a_plan_that_points_at_what_is_not_asked_is_a_fault() -> None:
    template = Template("one rows .value lab( @a | )", ("last value",), "en", "own.yaml")
    with pytest.raises(ValueError, match="does not name"):
        realise(template, template.ask[0], random.Random(1))


def test_a_plan_that_is_no_script_is_a_fault() -> None:
    template = Template("one rows .nothing lab( @a | )", ("<a:lab>",), "en", "own.yaml")
    assert "may not stand there" in str(fault_of(realise(template, template.ask[0], random.Random(1))))
