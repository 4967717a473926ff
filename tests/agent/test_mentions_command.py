"""``chartroom mentions``: lines in, lines out, and what becomes of bad ones."""

import json
from pathlib import Path

import pytest

from agent.cli import main


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_text_gets_its_mentions(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = [
        {"id": 1, "text": "No fever. Left knee hurts.", "targets": ["left knee"]},
        {"id": "b", "text": "父亲患糖尿病，患者2021年5月3日出现胸痛。", "language": "zh"},
        {"id": 3, "text": ""},
    ]
    source.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in texts), encoding="utf-8")
    assert main(["mentions", str(source), str(target)]) == 0
    first, second, third = lines(target)
    assert first["mentions"] == [
        {
            "start": 3, "end": 8, "text": "fever", "concept": "finding:fever", "type": "finding",
            "assertion": "negated", "experiencer": "patient", "time": None,
        },
        {
            "start": 10, "end": 19, "text": "Left knee", "concept": None, "type": None,
            "assertion": "present", "experiencer": "patient", "time": None,
        },
    ]  # fmt: skip
    found = {
        one["concept"]: (one["assertion"], one["experiencer"], one["time"]) for one in second["mentions"]
    }
    assert found["disease:diabetes"] == ("family", "family", None)
    assert found["finding:chest-pain"] == ("present", "patient", "2021-05-03")
    assert third == {"id": 3, "mentions": []}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"id": 4, "text": "half \\ud800"}', "no JSON"),
        ('{"id": 4, "text": "x", "language": "fr"}', "'language' is not as it should be"),
        ('{"id": 4, "text": "x", "targets": "x"}', "'targets' is not as it should be"),
        ('{"id": 4, "text": "x", "Ann Specimen": 1}', "a key that is not known"),
        ('{"id": 4}', "'text' is missing"),
    ],
)
def test_a_bad_line_is_told_what_is_wrong_with_it_and_quoted_nowhere(tmp_path, capsys, line, fault):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    hostile = '{"id": 1, "text": "a\\u0000b fever \\u001b[31m", "targets": ["(", "", "[a-z]*", "fev", "\\n"]}'
    source.write_text(f"{line}\n{hostile}\n", encoding="utf-8")
    assert main(["mentions", str(source), str(target)]) == 1
    told = capsys.readouterr().err
    assert fault in told and "Specimen" not in told
    (written,) = lines(target)
    assert [mention["text"] for mention in written["mentions"]] == ["fever"]


def test_open_meanings_are_listed(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": 1, "text": "Told of MS."}\n', encoding="utf-8")
    assert main(["mentions", str(source), str(target)]) == 0
    (mention,) = lines(target)[0]["mentions"]
    assert mention["concept"] is None
    assert "disease:multiple-sclerosis" in mention["candidates"]


def test_bad_lines_are_named_and_the_others_read(tmp_path, capsys):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    good = '{"id": 1, "text": "cough"}'
    source.write_text(f'{good}\nsecret words\n{{"id": 2}}\n\n[1]\n{good}\n', encoding="utf-8")
    assert main(["mentions", str(source), str(target)]) == 1
    assert len(lines(target)) == 2
    told = " ".join(capsys.readouterr().err.split())
    for number in (2, 3, 5):
        assert f"line {number}:" in told
    assert "secret" not in told


@pytest.mark.parametrize("output", ["in.jsonl", "missing/out.jsonl"])
def test_an_output_that_cannot_be_is_refused_before_the_work(tmp_path, capsys, output):
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 1, "text": "cough"}\n', encoding="utf-8")
    assert main(["mentions", str(source), str(tmp_path / output)]) == 1
    assert "choose another output" in " ".join(capsys.readouterr().err.split())
    assert source.read_text(encoding="utf-8") == '{"id": 1, "text": "cough"}\n'


def test_an_input_that_cannot_be_read_is_refused(tmp_path, capsys):
    assert main(["mentions", str(tmp_path / "none.jsonl"), str(tmp_path / "out.jsonl")]) == 1
    assert "cannot be read" in " ".join(capsys.readouterr().err.split())
