"""The diseases of the core tables: well-formed, named unambiguously, ordered by kind, coded as ICD has them."""

import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path

import networkx as nx
import pytest

from knowledge.terminology import Terminology
from knowledge.terminology.concepts import Concept

AGREEMENT = 0.98
BLOCK = 12  # a kind with more codes spans a block of ICD; the block is its meaning, not each title in it
_TERMINOLOGY = Path(str(files("knowledge.terminology")))
_IS_A = Path(str(files("knowledge"))) / "facts" / "tables" / "is_a.tsv"
# Words that the titles of unrelated diseases share.
_EMPTY_WORDS = frozenset(
    "the and with due not elsewhere classified other unspecified specified without disease diseases disorder "
    "disorders syndrome acute chronic".split()
)


@pytest.fixture(scope="module")
def terminology() -> Terminology:
    return Terminology.load()


@pytest.fixture(scope="module")
def diseases(terminology: Terminology) -> Mapping[str, Concept]:
    return {concept.id: concept for concept in terminology.concepts if concept.type == "disease"}


@pytest.fixture(scope="module")
def kinds() -> "nx.DiGraph[str]":
    """The edges from the narrower disease to the wider one."""
    rows = [row for row in rows_of(_IS_A) if row["subject"].startswith("disease:")]
    return nx.DiGraph([(row["subject"], row["object"]) for row in rows])


@pytest.fixture(scope="module")
def explained() -> set[tuple[str, str]]:
    return {(row["concept"], row["code"]) for row in rows_of(_TERMINOLOGY / "icd_explained.tsv")}


@pytest.fixture(scope="module")
def icd10_titles(shared_data: Path) -> Mapping[str, str]:
    with gzip.open(
        shared_data / "icd10cm" / "icd10cm-order-Jan-2021.csv.gz", "rt", encoding="utf-8"
    ) as lines:
        return {row["code"]: row["long"] for row in csv.DictReader(lines)}


@pytest.fixture(scope="module")
def icd9_to_10(shared_data: Path) -> Mapping[str, set[str]]:
    mapped: dict[str, set[str]] = defaultdict(set)
    path = shared_data / "icd10cm" / "icd_cm_9_to_10_mapping.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            mapped[row["icd_9"]].add(row["icd_10"])
    return mapped


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def codes(concept: Concept, system: str) -> list[str]:
    return [code.replace(".", "") for name, code in concept.codes if name == system]


def names(concept: Concept) -> tuple[str, ...]:
    return (concept.en, concept.zh, *concept.synonyms_en, *concept.synonyms_zh, *concept.abbreviations)


def stems(texts: Iterable[str]) -> set[str]:
    """The beginnings of the words that carry meaning, so that ``hepatic`` and ``hepatitis`` agree."""
    words = re.findall(r"[a-z0-9]+", " ".join(texts).lower().replace("oe", "e").replace("ae", "e"))
    return {word[:4] for word in words if len(word) > 2 and word not in _EMPTY_WORDS}


def test_the_table_covers_the_specialties_and_each_row_once() -> None:
    ids = [row["id"] for row in rows_of(_TERMINOLOGY / "tables" / "diseases.tsv")]
    assert [known for known, times in Counter(ids).items() if times > 1] == []
    assert len(ids) >= 530


def test_every_disease_says_where_it_comes_from_and_has_a_chinese_name(
    diseases: Mapping[str, Concept],
) -> None:
    assert [concept.id for concept in diseases.values() if not concept.source] == []
    foreign = {"disease:covid-19"}
    assert [
        concept.id
        for concept in diseases.values()
        if concept.id not in foreign and not re.search(r"[\u4e00-\u9fff]", concept.zh)
    ] == []


def test_a_name_means_one_thing_unless_the_table_of_ambiguous_names_says_so(
    terminology: Terminology, diseases: Mapping[str, Concept]
) -> None:
    allowed = {
        row["form"].casefold(): set(row["ids"].split("|")) for row in rows_of(_TERMINOLOGY / "ambiguous.tsv")
    }
    forms = {form.removeprefix("=") for concept in diseases.values() for form in names(concept)}
    shared = {form: {concept.id for concept in terminology.named(form)} for form in forms}
    assert {
        form: sorted(ids)
        for form, ids in shared.items()
        if len(ids) > 1 and not ids <= allowed.get(form.casefold(), set())
    } == {}


def test_the_kinds_of_diseases_are_known_and_never_their_own_ancestors(
    diseases: Mapping[str, Concept], kinds: "nx.DiGraph[str]"
) -> None:
    assert set(kinds) - set(diseases) == set()
    assert nx.is_directed_acyclic_graph(kinds)
    assert kinds.number_of_edges() >= 550


def test_a_kind_is_stated_once_and_only_directly(kinds: "nx.DiGraph[str]") -> None:
    rows = [(row["subject"], row["object"]) for row in rows_of(_IS_A)]
    assert [pair for pair, times in Counter(rows).items() if times > 1] == []
    assert set(kinds.edges) - set(nx.transitive_reduction(kinds).edges) == set()


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("disease:stemi", "disease:cardiovascular-disease"),
        ("disease:septic-shock", "disease:shock"),
        ("disease:septic-shock", "disease:infection"),
        ("disease:aml", "disease:malignancy"),
        ("disease:hyperkalemia", "disease:electrolyte-disorder"),
        ("disease:af", "disease:arrhythmia"),
        ("disease:lupus-nephritis", "disease:autoimmune-disease"),
        ("disease:hip-fracture", "disease:injury"),
    ],
)
def test_a_disease_is_found_under_its_wider_kinds(kinds: "nx.DiGraph[str]", narrow: str, wide: str) -> None:
    assert wide in nx.descendants(kinds, narrow)
    assert narrow not in nx.descendants(kinds, wide)


def test_the_explained_codes_name_known_diseases_and_give_a_reason(diseases: Mapping[str, Concept]) -> None:
    rows = rows_of(_TERMINOLOGY / "icd_explained.tsv")
    assert [
        row for row in rows if row["concept"] not in diseases or not row["reason"] or ":" not in row["code"]
    ] == []


def test_every_code_of_a_disease_exists(
    diseases: Mapping[str, Concept], icd10_titles: Mapping[str, str], icd9_to_10: Mapping[str, set[str]]
) -> None:
    known = {"icd10": prefixes(icd10_titles), "icd9": prefixes(icd9_to_10)}
    wrong = [
        (concept.id, system, code)
        for concept in diseases.values()
        for system in known
        for code in codes(concept, system)
        if code not in known[system]
    ]
    assert wrong == []


def test_the_titles_of_the_codes_are_about_the_disease(
    diseases: Mapping[str, Concept],
    kinds: "nx.DiGraph[str]",
    icd10_titles: Mapping[str, str],
    explained: set[tuple[str, str]],
) -> None:
    below: dict[str, list[str]] = defaultdict(list)
    for code, title in icd10_titles.items():
        for end in range(3, len(code) + 1):
            below[code[:end]].append(title)
    judged = [
        (concept.id, code, about(concept, code, below, diseases, kinds))
        for concept in diseases.values()
        for system, code in concept.codes
        if system == "icd10" and len(codes(concept, system)) <= BLOCK
    ]
    off = [
        (concept, code)
        for concept, code, fits in judged
        if not fits and (concept, f"icd10:{code}") not in explained
    ]
    assert len(off) <= (1 - AGREEMENT) * len(judged), off


def test_the_codes_agree_with_the_disease_ontology(
    shared_data: Path, diseases: Mapping[str, Concept], explained: set[tuple[str, str]]
) -> None:
    theirs: dict[str, set[str]] = defaultdict(set)
    with (shared_data / "disease-ontology" / "ICD10inDO.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            theirs[row["label"].casefold()].update(re.findall(r"ICD10CM:([A-Z][0-9A-Z.]+)", row["xrefs"]))
    compared: dict[str, bool] = {}
    for concept in diseases.values():
        wanted = next(
            (theirs[n.casefold()] for n in (concept.en, *concept.synonyms_en) if theirs.get(n.casefold())),
            None,
        )
        if wanted is not None:
            compared[concept.id] = any(
                (concept.id, f"icd10:{code}") in explained
                or any(one_holds_the_other(code.replace(".", ""), own) for own in codes(concept, "icd10"))
                for code in wanted
            )
    assert len(compared) >= 400
    off = [concept for concept, agrees in compared.items() if not agrees]
    assert len(off) <= (1 - AGREEMENT) * len(compared), off


def prefixes(known: Iterable[str]) -> set[str]:
    return {code[:end] for code in known for end in range(3, len(code) + 1)}


def one_holds_the_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def about(
    concept: Concept,
    code: str,
    below: Mapping[str, list[str]],
    diseases: Mapping[str, Concept],
    kinds: "nx.DiGraph[str]",
) -> bool:
    """Whether a title under the code has a word of the disease, or of a narrower one that has such a code too."""
    plain = code.replace(".", "")
    words = stems(below[plain])
    if stems(english(concept)) & words:
        return True
    narrower = nx.ancestors(kinds, concept.id) if concept.id in kinds else set()
    return any(
        stems(english(diseases[known])) & words
        and any(one_holds_the_other(plain, own) for own in codes(diseases[known], "icd10"))
        for known in narrower
    )


def english(concept: Concept) -> tuple[str, ...]:
    return (concept.en, *concept.synonyms_en, *concept.abbreviations)
