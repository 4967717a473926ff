from collections.abc import Callable, Iterable

import pytest

from knowledge.mentions import Mention, MentionFinder, Name, NameTable

NAMES = (
    Name("fever", "finding:fever", "finding", preferred=True),
    Name("发热", "finding:fever", "finding", preferred=True),
    Name("cough", "finding:cough", "finding", preferred=True),
    Name("咳嗽", "finding:cough", "finding", preferred=True),
    Name("chest pain", "finding:chest-pain", "finding", preferred=True),
    Name("CP", "finding:chest-pain", "finding", cased=True),
    Name("shortness of breath", "finding:dyspnea", "finding"),
    Name("diabetes mellitus", "disease:diabetes", "disease", preferred=True),
    Name("diabetes", "disease:diabetes", "disease"),
    Name("糖尿病", "disease:diabetes", "disease", preferred=True),
    Name("hypertension", "disease:hypertension", "disease", preferred=True),
    Name("高血压", "disease:hypertension", "disease", preferred=True),
    Name("血压", "vital:blood-pressure", "vital", preferred=True),
    Name("type 2 diabetes mellitus", "disease:type-2-diabetes", "disease", preferred=True),
    Name("anemia", "disease:anemia", "disease", preferred=True),
    Name("esophageal varices", "disease:varices", "disease", preferred=True),
    Name("breast cancer", "disease:breast-cancer", "disease", preferred=True),
    Name("ovarian cancer", "disease:ovarian-cancer", "disease", preferred=True),
    Name("hemochromatosis", "disease:hemochromatosis", "disease", preferred=True),
    Name("Staphylococcus aureus", "organism:staphylococcus-aureus", "organism", preferred=True),
    Name("Staphylococcus aureus bacteremia", "disease:sa-bacteremia", "disease", preferred=True),
    Name("appendicitis", "disease:appendicitis", "disease", preferred=True),
    Name("appendectomy", "procedure:appendectomy", "procedure", preferred=True),
    Name("mitral stenosis", "disease:mitral-stenosis", "disease", preferred=True),
    Name("multiple sclerosis", "disease:multiple-sclerosis", "disease", preferred=True),
    Name("morphine", "drug:morphine", "drug", preferred=True),
    Name("MS", "disease:mitral-stenosis", "disease", cased=True),
    Name("MS", "disease:multiple-sclerosis", "disease", cased=True),
    Name("MS", "drug:morphine", "drug", cased=True),
    Name("AIDS", "disease:aids", "disease", cased=True),
    Name("phenylketonuria", "disease:pku", "disease", preferred=True),
)


@pytest.fixture(scope="session")
def finder() -> MentionFinder:
    return MentionFinder.load(NameTable(lambda: NAMES))


@pytest.fixture(scope="session")
def said(finder: MentionFinder) -> Callable[..., dict[str, str]]:
    """What a text says of each of its names and targets, by their wording."""

    def judge(text: str, targets: Iterable[str] = ()) -> dict[str, str]:
        return {mention.text: _label(mention) for mention in finder.find(text, targets=tuple(targets))}

    return judge


def _label(mention: Mention) -> str:
    return (
        mention.assertion
        if mention.experiencer == "patient"
        else f"{mention.assertion} {mention.experiencer}"
    )
