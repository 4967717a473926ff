"""Sentences that bear on a question score above those that do not, in both languages and across them."""

from agent.relevance import Passage, searchable, terms, word_scores


def none(text: str) -> list:
    return []


def scored(
    question: str, sentences: list[str], headings: list[str] | None = None, synonyms=none
) -> list[float]:
    above = [searchable(heading) for heading in headings or [""] * len(sentences)]
    passages = [Passage(searchable(s), h, h) for s, h in zip(sentences, above, strict=True)]
    return word_scores(question, terms(question, synonyms), passages)


def best(question: str, sentences: list[str], headings: list[str] | None = None, synonyms=none) -> str:
    scores = scored(question, sentences, headings, synonyms)
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
    below, said = scored("What allergies does he have?", sentences, ["ALLERGIES", "PLAN"])
    assert 0 < below < said


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    sentences = ["pain pain stable", "pain controlled", "pain better", "walker used for pain"]
    scores = scored("walker pain", sentences)
    assert scores[3] > 0.9
    assert scores[0] < 0.45


def test_a_topic_counts_in_the_words_that_notes_use_for_it() -> None:
    answer = "Tobacco: quit last spring after 50 pack-years."
    assert best("Does he smoke?", ["Lungs clear.", answer, "Denies cough."]) == answer
    assert best("患者抽烟吗？", ["否认胸痛。", "吸烟史30年，已戒烟。", "睡眠可。"]) == "吸烟史30年，已戒烟。"


def test_the_asked_word_itself_beats_another_word_of_the_topic() -> None:
    sentences = ["Lives alone, third floor.", "Lives with her son.", "No rash."]
    alone, son, rash = scored("Does she live alone?", sentences)
    assert alone > son > rash == 0


def test_the_impression_of_a_report_says_what_it_shows() -> None:
    sentences = ["No acute process.", "If febrile, repeat chest x-ray.", "Cough for three days."]
    headings = ["IMPRESSION chest x-ray", "Plan", "INDICATION chest x-ray"]
    assert best("What did the chest x-ray show?", sentences, headings) == sentences[0]


def test_an_instruction_is_the_answer_where_instructions_were_asked_for() -> None:
    sentences = ["Return to ED for chest pain.", "Denies chest pain."]
    assert best("Does he have chest pain?", sentences) == sentences[1]
    assert best("When should he return with chest pain?", sentences) == sentences[0]
