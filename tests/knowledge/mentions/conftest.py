from collections.abc import Callable, Iterable

import pytest

from knowledge.mentions import Mention, MentionFinder, Name, NameTable

NAMES = (
    Name("fever", "finding:fever", "finding"),
    Name("发热", "finding:fever", "finding"),
    Name("cough", "finding:cough", "finding"),
    Name("咳嗽", "finding:cough", "finding"),
    Name("chest pain", "finding:chest-pain", "finding"),
    Name("CP", "finding:chest-pain", "finding", cased=True),
    Name("shortness of breath", "finding:dyspnea", "finding"),
    Name("diabetes mellitus", "disease:diabetes", "disease"),
    Name("diabetes", "disease:diabetes", "disease", rank=2),
    Name("糖尿病", "disease:diabetes", "disease"),
    Name("hypertension", "disease:hypertension", "disease"),
    Name("高血压", "disease:hypertension", "disease"),
    Name("血压", "vital:blood-pressure", "vital"),
    Name("type 2 diabetes mellitus", "disease:type-2-diabetes", "disease"),
    Name("anemia", "disease:anemia", "disease"),
    Name("esophageal varices", "disease:varices", "disease"),
    Name("breast cancer", "disease:breast-cancer", "disease"),
    Name("ovarian cancer", "disease:ovarian-cancer", "disease"),
    Name("hemochromatosis", "disease:hemochromatosis", "disease"),
    Name("Staphylococcus aureus", "organism:staphylococcus-aureus", "organism"),
    Name("Staphylococcus aureus bacteremia", "disease:sa-bacteremia", "disease"),
    Name("appendicitis", "disease:appendicitis", "disease"),
    Name("appendectomy", "procedure:appendectomy", "procedure"),
    Name("mitral stenosis", "disease:mitral-stenosis", "disease"),
    Name("multiple sclerosis", "disease:multiple-sclerosis", "disease"),
    Name("morphine", "drug:morphine", "drug"),
    Name("MS", "disease:mitral-stenosis", "disease", cased=True),
    Name("MS", "disease:multiple-sclerosis", "disease", cased=True),
    Name("MS", "drug:morphine", "drug", cased=True),
    Name("AIDS", "disease:aids", "disease", cased=True),
    Name("phenylketonuria", "disease:pku", "disease"),
)


@pytest.fixture(scope="session")
def finder() -> MentionFinder:
    return MentionFinder.load(NameTable(NAMES))


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
