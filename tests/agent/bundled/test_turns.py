"""A plan that does the opposite of what a word of the question says is noticed, in both languages."""

import pytest

from agent.bundled.turns import turned

AFTER = "all count of=patients drug( v1 | related( events( drug( v2 | ) ) relation=before ) )"
BEFORE = "all count of=patients drug( v1 | related( events( drug( v2 | ) ) relation=after ) )"
WITH = "all count of=patients diagnosis( v1 | related( events( drug( v2 | ) ) relation=same_admission ) )"
WITHOUT = "all count of=patients diagnosis( v1 | related( events( drug( v2 | ) ) negated=true ) )"
NONE_OF = "all count of=patients patient( related( events( drug( v1 | ) ) negated=true ) )"
ONE_OF = "all count of=patients drug( v1 | )"
TWO = "<many> patients with <v1><diagnosis> {} <v2><drug>"


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("<many> patients given <v1><drug> after <v2><drug>", AFTER, BEFORE),
        ("<many> patients given <v1><drug> before <v2><drug>", BEFORE, AFTER),
        (
            "<many> patients given <v1><drug> before <v2><drug>",
            BEFORE,
            AFTER.replace("before", "same_admission"),
        ),
        ("<many> 在<v2><drug>之后用<v1><drug>的患者数", AFTER, BEFORE),
        ("<many> 在<v2><drug>之前用<v1><drug>的患者数", BEFORE, AFTER),
        (TWO.format("but not"), WITHOUT, WITH),
        (TWO.format("without"), WITHOUT, WITH),
        ("<many> how many patients were not given <v1><drug>", NONE_OF, ONE_OF),
        ("<many> 没用过<v1><drug>的患者有多少", NONE_OF, ONE_OF),
        ("<many> 有<v1><diagnosis>但未使用<v2><drug>的患者", WITHOUT, WITH),
        (
            "<many> patients with at most <n1> admissions",
            "all count of=patients admission( repeated( at_least= 1 at_most= n1 ) )",
            "all count of=patients admission( repeated( at_least= n1 ) )",
        ),
        (
            "<many> patients with <v1><lab> below <n1>",
            "all count of=patients lab( v1 | where( .value < n1 ) )",
            "all count of=patients lab( v1 | where( .value > n1 ) )",
        ),
        (
            "<many> <v1><lab>不低于<n1>的患者",
            "all count of=patients lab( v1 | where( .value >= n1 ) )",
            "all count of=patients lab( v1 | where( .value <= n1 ) )",
        ),
        (
            "<one> first <v1><lab> of <p>",
            "one rows .value lab( v1 | pick( which=first ) )",
            "one rows .value lab( v1 | pick( which=last ) )",
        ),
        (
            "<one> <p>最近一次<v1><lab>",
            "one rows .value lab( v1 | pick( which=last ) )",
            "one rows .value lab( v1 | pick( which=first ) )",
        ),
        (
            "<one> lowest <v1><lab> of <p>",
            "one statistic function=min lab( v1 | )",
            "one statistic function=max lab( v1 | )",
        ),
        (
            "<one> <p>最高的<v1><lab>",
            "one rows .value lab( v1 | pick( which=max ) )",
            "one rows .value lab( v1 | pick( which=min ) )",
        ),
        (
            "<one> how many hours since <p> was admitted",
            "one elapsed unit=hours admission( pick( which=last ) )",
            "one elapsed admission( pick( which=last ) )",
        ),
        (
            "<one> <p>入院多少天了",
            "one elapsed admission( pick( which=last ) )",
            "one elapsed unit=hours admission( pick( which=last ) )",
        ),
    ],
)
def test_the_opposite_of_a_word_is_noticed_and_the_word_itself_passes(
    text: str, right: str, wrong: str
) -> None:
    assert turned(text, right.split()) is None
    assert turned(text, wrong.split())


def test_the_negated_name_must_be_the_one_that_is_excluded() -> None:
    text = "<many> patients without <v1><diagnosis> given <v2><drug>"
    assert turned(text, WITHOUT.split()) == "without"
    assert (
        turned(
            text,
            "all count of=patients drug( v2 | related( events( diagnosis( v1 | ) ) negated=true ) )".split(),
        )
        is None
    )


@pytest.mark.parametrize(
    "text",
    [
        "<many> no of patients on <v1><drug>",
        "<many> 有没有患者用过<v1><drug>",
        "<many> patients who had <v1><drug>",
    ],
)
def test_words_that_only_look_like_a_negation_exclude_nothing(text: str) -> None:
    assert turned(text, ONE_OF.split()) is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "<many> 首次经<v1><admission.admission_type>入院的患者有多少",
            "all count of=patients admission( admission_type: v1 | )",
        ),
        (
            "<many> patients allergic to <v1><microbiology.antibiotic>",
            "all rows .subject_id microbiology( antibiotic: v1 | )",
        ),
        ("<many> 多少患者至少用过两种<v1><drug>", "all count of=patients drug( v1 | )"),
        ("<many> how many admissions of people", "all count of=patients admission( )"),
    ],
)
def test_what_a_script_cannot_say_is_noticed(text: str, wrong: str) -> None:
    assert turned(text, wrong.split())


def test_a_time_before_a_stay_is_no_order_of_events() -> None:
    assert turned("<one> <v1><lab> of <p> before <t1>", "one rows .value lab( v1 | t1 )".split()) is None


def test_twice_is_what_repeated_means_by_itself() -> None:
    text = "<many> <t1>接受<v1><procedure>至少两次的有几个病人"
    assert turned(text, "all count of=patients procedure( v1 | t1 repeated( ) )".split()) is None
