"""The decoder writes scripts of the grammar, whatever the network, the same ones each time."""

from pathlib import Path

import pytest

from agent.bundled import script
from agent.bundled.decoder import ScriptDecoder
from agent.bundled.planner import identity
from agent.bundled.pointers import Pointers
from agent.bundled.script import ASIDES, END, NotAScript, allowed_next, parse
from agent.models.gguf import sha256_of
from knowledge.errors import ModelError

QUESTIONS = (
    "<one> what was the last <v1><lab> of <p> <t1>",
    "<many> how many patients got <v2><drug> <t1>",
    "<one> <p>最近一次<v1><lab>是多少",
    "<many>",
    "<one> qqq zzz 🙂",
)


@pytest.fixture(scope="module")
def decoder(random_gguf: Path):
    opened = ScriptDecoder(random_gguf)
    yield opened
    opened.close()


@pytest.mark.parametrize("text", QUESTIONS)
def test_even_a_random_network_writes_only_scripts(decoder: ScriptDecoder, rich: Pointers, text: str) -> None:
    for written in decoder.decode(text, lambda tokens: allowed_next(tokens, rich)):
        tokens = written.tokens
        assert all(token in allowed_next(tokens[:at], rich) for at, token in enumerate(tokens))
        assert END in allowed_next(tokens, rich)
        assert written.logprob <= written.least <= 0
        if tokens[0] not in ASIDES:
            try:
                parse(tokens, rich)
            except NotAScript as error:
                assert "go together" in str(error)  # a range without numbers; a token out of place it is not


def test_the_same_question_has_the_same_scripts_whatever_was_asked_before(
    decoder: ScriptDecoder, rich: Pointers
) -> None:
    def ask(text: str) -> object:
        return decoder.decode(text, lambda tokens: allowed_next(tokens, rich))

    first = [ask(text) for text in QUESTIONS]
    assert [ask(text) for text in reversed(QUESTIONS)] == first[::-1]


def test_scripts_come_likeliest_first(decoder: ScriptDecoder, rich: Pointers) -> None:
    found = [one.logprob for one in decoder.decode(QUESTIONS[0], lambda tokens: allowed_next(tokens, rich))]
    assert found == sorted(found, reverse=True) and found


def test_of_a_long_question_the_end_is_read(decoder: ScriptDecoder, rich: Pointers) -> None:
    long = f"<one> {'word ' * 400}last <v1><lab>"
    assert len(long) >= 2000
    prompt = decoder.prompt(long)
    assert (
        prompt
        == decoder.tokenize(f"{''.join(f' {word}' for word in ['word'] * 400)} last<v1><lab>[plan]")[
            -len(prompt) :
        ]
    )
    assert decoder.decode(long, lambda tokens: allowed_next(tokens, rich))


def test_a_model_that_is_no_planner_is_refused(tiny_gguf: Path) -> None:
    with pytest.raises(ModelError, match="does not fit"):
        ScriptDecoder(tiny_gguf)


def test_the_vocabulary_has_every_script_token_as_one(decoder: ScriptDecoder) -> None:
    assert all(len(decoder.tokenize(f"[{token}]")) == 1 for token in script.vocabulary())


def recorded(folder: Path, content: Path) -> Path:
    path = folder / "planner.gguf"
    path.write_bytes(content.read_bytes())
    path.with_suffix(".sha256").write_text(f"{sha256_of(path)}  planner.gguf\n", encoding="ascii")
    return path


def test_an_unharmed_planner_is_named_with_its_checksum(tmp_path: Path, random_gguf: Path) -> None:
    path = recorded(tmp_path, random_gguf)
    assert identity(path).sha256 == sha256_of(path)


def test_an_altered_planner_is_refused(tmp_path: Path, random_gguf: Path) -> None:
    path = recorded(tmp_path, random_gguf)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not the one that was recorded"):
        identity(path)


@pytest.mark.parametrize("name", ["planner.gguf", "planner.sha256"])
def test_a_planner_that_vanished_is_refused(tmp_path: Path, random_gguf: Path, name: str) -> None:
    path = recorded(tmp_path, random_gguf)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        identity(path)
