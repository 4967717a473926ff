"""The language of a question, and what can be taken as a question at all.

Nothing here knows medicine: it counts scripts and a few function words.
"""

import re
import unicodedata

from agent.answer import Language
from knowledge.errors import QuestionError

MAX_CHARACTERS = 5_000
FOREIGN_SHARE = 0.3  # of the letters; a drug name or a surname in another script stays below it

_ENGLISH_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and any are at can did do does for from had has have he her his how i in is it list me my of on "
        "or please she show tell than that the their there this to was were what when which who why with",
    )
)
_IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_KEPT_CONTROLS = frozenset("\n\r\t")


_WANTS_CHINESE = re.compile(r"\W*(and|now|please|again|\W)*in (chinese|mandarin)( please)?\W*", re.IGNORECASE)
_WANTS_ENGLISH = re.compile(r"\W*请?再?用?(英文|英语)(再)?(说|回答|讲|重复)?(一遍|一下|一次)?[呢吧吗]?\W*")
"""Questions that ask for nothing but the other language."""


def language_of(question: str) -> Language:
    """The language to answer in: Chinese as soon as the question's grammar is.

    English abbreviations and drug names inside a Chinese question ("K是多少") do not make it English, since
    only function words count for English.
    """
    ideographs = len(_IDEOGRAPH.findall(question))
    if not ideographs:
        return "zh" if _WANTS_CHINESE.fullmatch(question) else "en"
    if _WANTS_ENGLISH.fullmatch(question):
        return "en"
    words = re.findall(r"[a-z]+", question.lower())
    function_words = sum(word in _ENGLISH_FUNCTION_WORDS for word in words)
    return "zh" if ideographs >= 2 * function_words else "en"


def clean(question: str) -> str:
    """The question as it is taken: composed Unicode, no control or invisible characters, single spaces.

    Raises:
        QuestionError: empty, longer than ``MAX_CHARACTERS``, full of control characters, or mostly in a
            script that is neither English nor Chinese.
    """
    if len(question) > MAX_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {MAX_CHARACTERS:,} are allowed. "
            f"Shorten it, or load the long text as a note and ask about that. "
            f"问题有 {len(question):,} 个字符，最多 {MAX_CHARACTERS:,} 个；请缩短后再问。"
        )
    controls = sum(
        unicodedata.category(character) == "Cc" and character not in _KEPT_CONTROLS for character in question
    )
    if controls > max(3, len(question) // 10):
        raise QuestionError(
            f"The question holds {controls} control characters, as if it were a file and not text; "
            "type or paste plain text. 问题含有控制字符，请输入纯文本。"
        )
    composed = unicodedata.normalize("NFC", question)
    visible = "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp", "Zs"} else character
        for character in composed
        if unicodedata.category(character) not in {"Cf", "Cs", "Co", "Cn"}
    )
    text = re.sub(r" +", " ", visible).strip()
    if not any(character.isalnum() for character in text):
        raise QuestionError(
            "The question is empty; ask something such as “What is her latest creatinine?”. "
            "问题是空的；例如可以问“最近一次肌酐是多少？”。"
        )
    letters = [character for character in text if character.isalpha()]
    foreign = sum(_script(letter) == "other" for letter in letters)
    if letters and foreign / len(letters) > FOREIGN_SHARE:
        raise QuestionError(
            "The question seems to be in neither English nor Chinese; please ask in one of them. "
            "问题似乎既不是英文也不是中文，请用其中一种语言提问。"
        )
    return text


def _script(letter: str) -> str:
    """``latin`` (with its accents), ``greek`` (α-fetoprotein), ``han`` or ``other``."""
    if _IDEOGRAPH.match(letter):
        return "han"
    name = unicodedata.name(letter, "")
    if name.startswith(("LATIN", "FULLWIDTH LATIN", "MICRO SIGN", "FEMININE", "MASCULINE")):
        return "latin"
    return "greek" if name.startswith("GREEK") else "other"
