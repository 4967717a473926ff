"""What Chinese sentences say of what they name. The larger set is benchmarks/questions/assertion_zh.jsonl."""

import pytest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("患者无发热、咳嗽。", {"发热": "negated", "咳嗽": "negated"}),
        ("否认高血压，糖尿病，但有咳嗽。", {"高血压": "negated", "糖尿病": "negated", "咳嗽": "present"}),
        ("无发热，咳嗽明显。", {"发热": "negated", "咳嗽": "present"}),
        ("无发热，咳嗽、高血压。", {"发热": "negated", "咳嗽": "present", "高血压": "present"}),
        ("发热消退，仍有咳嗽。", {"发热": "negated", "咳嗽": "present"}),
        ("排除糖尿病。", {"糖尿病": "negated"}),
        ("无诱因下出现发热。", {"发热": "present"}),
        ("不明原因发热。", {"发热": "present"}),
        ("未控制的高血压。", {"高血压": "present"}),
        ("不仅有高血压，还有糖尿病。", {"高血压": "present", "糖尿病": "present"}),
        ("除高血压外无糖尿病。", {"高血压": "present", "糖尿病": "negated"}),
        ("糖尿病不除外。", {"糖尿病": "possible"}),
        ("无法排除糖尿病。", {"糖尿病": "possible"}),
        ("考虑糖尿病可能。", {"糖尿病": "possible"}),
        ("糖尿病？", {"糖尿病": "possible"}),
        ("父亲患糖尿病，患者有高血压。", {"糖尿病": "family family", "高血压": "present"}),
        ("无糖尿病家族史。", {"糖尿病": "negated family"}),
        ("患者父亲诉其发热。", {"发热": "present"}),
        ("既往有糖尿病病史，现咳嗽。", {"糖尿病": "historical", "咳嗽": "present"}),
        ("如出现发热，请及时就诊。", {"发热": "hypothetical"}),
        ("活动后咳嗽。", {"咳嗽": "conditional"}),
        ("血培养阴性，no fever，有咳嗽。", {"fever": "negated", "咳嗽": "present"}),
    ],
)
def test_chinese_wording(said, text, expected):
    found = said(text)
    assert {name: found.get(name) for name in expected} == expected


def test_chinese_sections(said):
    text = "既往史：高血压。\n家族史：糖尿病。\n现病史：咳嗽。"
    assert said(text) == {"高血压": "historical", "糖尿病": "family family", "咳嗽": "present"}
