"""Sentences that bear on a question score above those that do not, in both languages and across them."""

from agent.relevance import score, terms


def none(text: str) -> list:
    return []


def best(question: str, sentences: list[str], headings: list[str] | None = None, synonyms=none) -> str:
    about = terms(question, synonyms)
    scores = score(about, sentences, headings or [""] * len(sentences), None)
    return sentences[scores.index(max(scores))]


def test_words_count_by_stem_and_not_by_form() -> None:
    answer = "Lives alone on the third floor, no elevator."
    assert best("Does she live alone?", [answer, "Denies chest pain.", "The patient sleeps well."]) == answer


def test_chinese_is_compared_by_pairs_of_characters() -> None:
    answer = "切口敷料干燥，伤口无红肿渗出。"
    assert best("患者的伤口情况怎么样？", [answer, "患者情况稳定。", "否认胸痛。"]) == answer


def test_a_concept_counts_by_any_of_its_names_in_either_language() -> None:
    def synonyms(text: str) -> list:
        at = text.find("呋塞米")
        return [(at, at + 3, ("Furosemide", "Lasix"))] if at >= 0 else []

    answer = "Lasix was held because of rising creatinine."
    assert best("为什么停用呋塞米？", [answer, "Aspirin was stopped."], synonyms=synonyms) == answer


def test_a_heading_counts_but_less_than_the_sentence() -> None:
    sentences = ["None known.", "Allergies reviewed with the family."]
    about = terms("What allergies does he have?", none)
    below, said = score(about, sentences, ["ALLERGIES", "PLAN"], None)
    assert 0 < below < said


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    sentences = ["pain pain stable", "pain controlled", "pain better", "walker used for pain"]
    about = terms("walker pain", none)
    scores = score(about, sentences, [""] * 4, None)
    assert scores[3] > 0.9
    assert scores[0] < 0.45
