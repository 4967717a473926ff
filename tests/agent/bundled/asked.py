"""Questions with their queries about the small hospital, in both languages, to train a tiny planner on and score it.

Each fifth wording of a plan is kept for scoring, so that a planner is asked in words that it was not shown.
"""

import itertools
from collections.abc import Iterator, Mapping

from agent.query.model import Ask, ClinicalQuery, Concept, Count, Events, Exists, Pick, Rows, Statistic

LABS = {"creatinine": ("Creatinine", "肌酐"), "potassium": ("Potassium", "血钾")}
DRUGS = {"furosemide": ("Furosemide", "呋塞米"), "metformin": ("Metformin", "二甲双胍")}
ILLS = {"heart failure": ("Heart failure, unspecified", "心力衰竭")}
LAST, EVER = Events(domain="lab", pick=Pick(which="last")), Events(domain="lab")
DRUG, ILL = Events(domain="drug"), Events(domain="diagnosis")
PLANS: tuple[tuple[Ask, Events, bool, Mapping[str, tuple[str, str]], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        Rows(fields=("value",), distinct=False), LAST, True, LABS,
        ("what was the last {v} of {p}", "latest {v} of {p}", "show me the most recent {v} of {p}",
         "{p} last {v}", "tell me the latest {v} for {p}"),
        ("{p}最近一次{v}是多少", "{p}最后一次{v}", "查一下{p}最近的{v}", "{p}的{v}最近是多少", "告诉我{p}最近一次{v}"),
    ),
    (
        Statistic(function="max"), EVER, True, LABS,
        ("what was the highest {v} of {p}", "maximum {v} of {p}", "{p} highest {v}", "show me the max {v} of {p}",
         "tell me the highest {v} for {p}"),
        ("{p}最高的{v}是多少", "{p}{v}最大值", "查一下{p}{v}的最大值", "{p}的{v}最高多少", "告诉我{p}最高的{v}"),
    ),
    (
        Exists(), DRUG, True, DRUGS,
        ("was {p} given {v}", "did {p} get {v}", "has {p} ever received {v}", "{p} on {v} ever", "did {p} receive {v}"),
        ("{p}用过{v}吗", "{p}有没有用过{v}", "查一下{p}是否用过{v}", "{p}是否使用过{v}", "{p}使用过{v}吗"),
    ),
    (
        Count(of="patients"), DRUG, False, DRUGS,
        ("how many patients got {v}", "number of patients given {v}", "count the patients who received {v}",
         "how many patients were on {v}", "how many patients received {v}"),
        ("有多少患者用过{v}", "用过{v}的患者有几个", "统计用过{v}的患者数", "使用过{v}的患者有多少",
         "有多少患者使用过{v}"),
    ),
    (
        Count(of="patients"), ILL, False, ILLS,
        ("how many patients have {v}", "number of patients with {v}", "count the patients who have {v}",
         "how many patients were diagnosed with {v}", "how many patients had {v}"),
        ("有多少患者有{v}", "{v}的患者有几个", "统计有{v}的患者数", "诊断为{v}的患者有多少", "有多少患者诊断为{v}"),
    ),
)  # fmt: skip
ELSE = (
    "what is the favourite colour of {p}", "which school did {p} visit", "what car does {p} drive",
    "who is the landlord of {p}", "what school does {p} like", "how many pets does {p} own",
    "which football club does {p} like", "what is the shoe size of {p}", "who is the neighbour of {p}",
    "what colour is the car of {p}", "{p}喜欢什么颜色", "{p}在哪里上学", "{p}开什么车", "{p}的房东是谁",
    "{p}喜欢什么车",
)  # fmt: skip


def asked() -> Iterator[tuple[bool, dict[str, object]]]:
    """Lines as the training reads them, each with whether it is kept for scoring."""
    number = itertools.count(1)

    def line(text: str, language: str, query: object) -> dict[str, object]:
        return {"id": f"q{next(number)}", "question": text, "language": language, "query": query}

    for ask, events, one, values, english, chinese in PLANS:
        for (said, (name, han)), subject in itertools.product(values.items(), (1, 2, 3) if one else (None,)):
            of = events.model_copy(update={"concepts": (Concept(values=(name,)),)})
            query = ClinicalQuery(ask=ask, of=of, patient=subject).model_dump(mode="json")
            for place, (here, there) in enumerate(zip(english, chinese, strict=True)):
                yield place == 4, line(here.format(v=said, p=f"patient {subject}"), "en", query)
                yield place == 4, line(there.format(v=han, p=f"患者{subject}"), "zh", query)
    for place, text in enumerate(ELSE):
        for subject in (1, 2, 3):
            han = text.startswith("{p}") and not text.isascii()
            said = text.format(p=f"患者{subject}" if han else f"patient {subject}")
            yield place % 5 == 4, line(said, "zh" if han else "en", "not_in_schema")
