"""What is widened for a chart, and that nothing else is."""

from agent.charts.drawable import drawable
from agent.query.model import (
    Ask,
    Balance,
    ClinicalQuery,
    Concept,
    Count,
    Events,
    Group,
    Pick,
    Readmission,
    Rows,
    Statistic,
    Top,
    Trend,
)

CREATININE = Events(domain="lab", concepts=(Concept(values=("Creatinine",)),))


def ask_of(ask: Ask, of: Events = CREATININE, patient: int | None = 1, mark: str = "auto") -> Ask:
    query, _ = drawable(ClinicalQuery(ask=ask, of=of, patient=patient), mark)  # type: ignore[arg-type]
    return query.ask


def test_the_latest_value_becomes_the_course_of_values_which_is_said() -> None:
    latest = CREATININE.model_copy(update={"pick": Pick(which="last")})
    query, said = drawable(
        ClinicalQuery(ask=Rows(fields=("time", "value", "unit")), of=latest, patient=1), "auto"
    )
    assert query.ask == Trend()
    assert query.of == CREATININE
    assert said == "series"


def test_values_of_many_patients_are_listed_each_with_its_unit() -> None:
    assert ask_of(Rows(fields=("value",)), patient=None) == Rows(fields=("value", "unit"), distinct=False)


def test_equal_values_count_twice_in_a_distribution() -> None:
    listed = ask_of(Rows(fields=("age",)), Events(domain="patient"), None, "histogram")
    assert listed == Rows(fields=("age",), distinct=False)


def test_a_list_of_names_becomes_how_many_there_are_of_each() -> None:
    assert ask_of(Rows(fields=("insurance",)), Events(domain="admission"), None, "arc") == Group(
        by="insurance"
    )


def test_a_mean_becomes_the_values_and_a_mean_per_day_the_days() -> None:
    assert ask_of(Statistic(function="mean")) == Trend()
    daily = Statistic(function="mean", per="day", inner="sum")
    assert ask_of(daily) == Group(bucket="day", figure="sum")


def test_totals_are_drawn_in_time() -> None:
    assert ask_of(Balance(), Events(domain="input")) == Balance(per="day")
    assert ask_of(Readmission(), Events(domain="admission"), None) == Readmission(bucket="month")


def test_names_and_figures_are_both_shown() -> None:
    assert ask_of(Top(show_count=False)) == Top(cut="values")
    assert ask_of(Group(by="gender", show_group=False)) == Group(by="gender")


def test_what_can_be_drawn_or_never_can_stays_as_it_is() -> None:
    for ask in (Trend(), Count(), Group(bucket="month"), Top(n=3, cut="values")):
        query = ClinicalQuery(ask=ask, of=CREATININE, patient=1)
        assert drawable(query, "auto") == (query, None)
