"""The compact form holds what the typed query holds, and nothing that the question does not give."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hospital import NOW, small_hospital
from llama_cpp.llama_grammar import json_schema_to_gbnf

from agent.planning.askable import askable
from agent.planning.form import (
    PercentileForm,
    QueryForm,
    numbers_of,
    read_form,
    times_of,
    values_of,
    write_form,
)
from agent.planning.form_query import form_of, query_of
from agent.planning.link import TimeLink
from agent.planning.offer import Offer, Offered
from agent.planning.plan_schema import plan_schema
from agent.planning.prompt_text import prompt_text
from agent.query.compile import compile
from agent.query.domains import Tables
from agent.query.model import ClinicalQuery, Concept, Encounter, Window
from knowledge.errors import QueryRejected

THIS_MONTH = Window(start="2025-02-01 00:00:00", end="2025-03-01 00:00:00", said="in February")
LAST_MONTH = Window(start="2025-01-01 00:00:00", end="2025-02-01 00:00:00", said="in January")
FIRST_STAY = Encounter(which="first")
CREATININE = Concept(values=("Creatinine",), said="creatinine")
PNEUMONIA = Concept(values=("Pneumonia, organism unspecified",), said="pneumonia")
METFORMIN = Concept(values=("Metformin",), said="metformin")
OFFER = Offer(
    who=("patient", "all"),
    values=(
        Offered("creatinine", "lab", CREATININE),
        Offered("pneumonia", "diagnosis", PNEUMONIA),
        Offered("metformin", "drug", METFORMIN),
    ),
    periods=(TimeLink(0, 0, "in February", THIS_MONTH), TimeLink(0, 0, "in January", LAST_MONTH)),
    stays=(TimeLink(0, 0, "first stay", None, FIRST_STAY),),
    numbers=((2.0, "mg/dL"), (60.0, None)),
)
DRUG = {"domain": "drug", "concepts": [METFORMIN], "window": THIS_MONTH}
DIAGNOSIS = {"domain": "diagnosis", "concepts": [PNEUMONIA]}
ROWS = {"ask": "rows", "fields": ["name"]}
QUERIES: dict[str, dict[str, Any]] = {
    "a drug within two months after a diagnosis, each with its own period": {
        "ask": {"ask": "count", "of": "patients"},
        "of": {
            **DRUG,
            "related": [
                {"events": {**DIAGNOSIS, "window": LAST_MONTH}, "relation": "before", "within_months": 2}
            ],
        },
    },
    "in the same admission, counted for each": {
        "ask": {"ask": "top", "n": 3, "show_count": False},
        "of": {
            "domain": "drug",
            "related": [{"events": DIAGNOSIS, "relation": "same_admission_before", "each": True}],
        },
    },
    "in the same month": {
        "ask": ROWS,
        "of": {**DRUG, "related": [{"events": DIAGNOSIS, "relation": "before", "same": "month"}]},
        "patient": 1,
    },
    "two relations with conditions of their own": {
        "ask": {"ask": "count"},
        "of": {
            **DRUG,
            "related": [
                {"events": DIAGNOSIS, "relation": "before", "within_days": 7},
                {
                    "events": {
                        "domain": "lab",
                        "concepts": [CREATININE],
                        "encounter": FIRST_STAY,
                        "where": [{"field": "value", "op": ">", "value": 2.0, "unit": "mg/dL"}],
                        "pick": {"which": "last"},
                    },
                    "relation": "same_admission",
                    "negated": True,
                },
            ],
        },
        "patient": 1,
    },
    "what is new since last month": {
        "ask": ROWS,
        "of": {
            "domain": "drug",
            "window": THIS_MONTH,
            "related": [
                {
                    "events": {"domain": "drug", "window": LAST_MONTH},
                    "relation": "same_name",
                    "negated": True,
                }
            ],
        },
        "patient": 1,
    },
    "what occurs twice": {
        "ask": ROWS,
        "of": {"domain": "drug", "window": THIS_MONTH, "repeated": {"by": "name", "at_most": 2}},
        "patient": 1,
    },
    "a change from another period": {
        "ask": {
            "ask": "change",
            "earlier_of": {"domain": "lab", "concepts": [CREATININE], "window": LAST_MONTH},
            "as_comparison": "<",
        },
        "of": {"domain": "lab", "concepts": [CREATININE], "window": THIS_MONTH},
        "patient": 1,
    },
    "a decade of age": {
        "ask": {"ask": "count", "of": "patients"},
        "of": {
            "domain": "admission",
            "where": [{"field": "age", "op": "between", "value": 60.0, "upper": 69.0}],
        },
    },
    "survival": {
        "ask": {"ask": "survival", "days": 365, "by": "name", "n": 3},
        "of": {"domain": "diagnosis", "pick": {"which": "first", "each": "name"}},
    },
    "a count a month": {
        "ask": {"ask": "statistic", "function": "mean", "per": "month", "inner": "admissions"},
        "of": DIAGNOSIS,
    },
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    path: Path = tmp_path_factory.mktemp("store") / "store.sqlite"
    return small_hospital(path).tables


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_can_be_written_under_the_schema_and_read_back(name: str, tables: Tables) -> None:
    query = ClinicalQuery.model_validate(QUERIES[name])
    compile(query, tables, NOW)
    form = form_of(query, OFFER)
    assert form is not None
    written = write_form(form)
    jsonschema.validate(json.loads(written), plan_schema(askable(tables), prompt_text().words, OFFER))
    again = read_form(written)
    assert isinstance(again, QueryForm)
    assert query_of(again, OFFER, 1) == query


def test_what_the_related_events_use_counts_as_used() -> None:
    form = form_of(ClinicalQuery.model_validate(QUERIES["two relations with conditions of their own"]), OFFER)
    assert form is not None
    assert [value.said for value in values_of(form, OFFER)] == ["metformin", "pneumonia", "creatinine"]
    assert [time.text for time in times_of(form, OFFER)] == ["in February", "first stay"]
    assert (2.0, "mg/dL") in numbers_of(form, OFFER)
    compared = form_of(ClinicalQuery.model_validate(QUERIES["a change from another period"]), OFFER)
    assert compared is not None
    assert [time.text for time in times_of(compared, OFFER)] == ["in February", "in January"]


PERCENTILE = {
    "action": "query_records",
    "who": "all",
    "domain": "lab",
    "values": [1],
    "related": [
        {"domain": "admission", "pick": {"which": "first"}, "relation": "same_age", "whose": "patient"}
    ],
    "ask": {"ask": "percentile", "number": 1},
}


class TestWhose:
    named = Offer(("patient",), OFFER.values, numbers=OFFER.numbers)

    def test_a_named_patient_can_be_compared_with_all_of_that_age(self, tables: Tables) -> None:
        schema = plan_schema(askable(tables), prompt_text().words, self.named)
        jsonschema.validate(PERCENTILE, schema)
        form = read_form(json.dumps(PERCENTILE))
        assert isinstance(form, QueryForm)
        assert isinstance(form.ask, PercentileForm)
        query = query_of(form, self.named, 7)
        assert (query.patient, query.of.related[0].events.patient) == (None, 7)
        assert form_of(query, self.named, 7) == form

    @pytest.mark.parametrize(
        "related",
        [[], [{"domain": "admission", "relation": "same_age"}], [{"domain": "drug", "whose": "patient"}]],
    )
    def test_a_named_patient_is_widened_to_all_for_nothing_else(self, related: Any, tables: Tables) -> None:
        widened = {**PERCENTILE, "related": related}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(widened, plan_schema(askable(tables), prompt_text().words, self.named))
        form = read_form(json.dumps(widened))
        assert isinstance(form, QueryForm)
        with pytest.raises(QueryRejected, match="who cannot be 'all'"):
            query_of(form, self.named, 7)

    def test_without_a_patient_nothing_is_that_patients(self) -> None:
        form = read_form(json.dumps(PERCENTILE))
        assert isinstance(form, QueryForm)
        with pytest.raises(QueryRejected, match="No patient"):
            query_of(form, Offer(("all",), OFFER.values, numbers=OFFER.numbers), None)


@pytest.mark.parametrize(
    "smuggled",
    [
        {"ask": {"ask": "change", "earlier_of": {"domain": "lab", "patient": 2}}},
        {"ask": {"ask": "change", "earlier_of": {"domain": "lab", "concepts": [{"values": ["x"]}]}}},
        {"ask": {"ask": "percentile", "value": 3.0}},
        {"related": [{"domain": "lab", "patient": 2}]},
        {"related": [{"events": {"domain": "lab"}}]},
        {"patient": 2},
    ],
    ids=str,
)
def test_no_patient_value_or_number_of_the_models_own_is_read(smuggled: dict[str, Any]) -> None:
    plan = {"action": "query_records", "who": "all", "domain": "lab", "ask": {"ask": "count"}, **smuggled}
    with pytest.raises(QueryRejected, match="not valid"):
        read_form(json.dumps(plan))


def test_llama_cpp_servers_can_make_a_grammar_of_the_schema(tables: Tables) -> None:
    schema = plan_schema(askable(tables), prompt_text().words, OFFER)
    assert "root ::=" in json_schema_to_gbnf(json.dumps(schema))


def test_what_the_offer_lacks_cannot_be_written() -> None:
    query = ClinicalQuery.model_validate(QUERIES["a change from another period"])
    assert form_of(query, Offer(OFFER.who, OFFER.values, OFFER.periods[:1])) is None
    stay = ClinicalQuery.model_validate(
        {"ask": {"ask": "count"}, "of": {"domain": "lab", "encounter": {"which": "last"}}}
    )
    assert form_of(stay, OFFER) is None
    assert form_of(stay.model_copy(update={"patient": 1}), OFFER) is None


def test_a_decade_is_of_age() -> None:
    where = [{"field": "value", "op": "decade", "number": 2}]
    plan = {"action": "query_records", "who": "all", "domain": "lab", "where": where, "ask": {"ask": "count"}}
    form = read_form(json.dumps(plan))
    assert isinstance(form, QueryForm)
    with pytest.raises(QueryRejected, match="age"):
        query_of(form, OFFER, None)
