"""How phrases of rule files are written out, and that all files of rules and tables can be read."""

import pytest

from knowledge.errors import ConfigError
from knowledge.mentions.rulebook import rulebook, written_out
from knowledge.mentions.tables import table


def test_phrases_are_written_out():
    assert sorted(written_out("no [new] (sign|<much>) of", {"much": "(evidence)"})) == [
        "no  evidence of",
        "no  sign of",
        "no new evidence of",
        "no new sign of",
    ]
    assert list(written_out(r"\(-\)", {})) == ["(-)"]


@pytest.mark.parametrize("pattern", ["no (sign", "no sign)", "no <unknown>"])
def test_a_phrase_that_is_not_well_formed_is_refused(pattern):
    with pytest.raises(ConfigError, match="phrase"):
        list(written_out(pattern, {}))


@pytest.mark.parametrize("languages", [("en",), ("zh", "en")])
def test_rules_stay_few_enough_to_review(languages):
    assert 1_000 < len(rulebook(*languages)) < 40_000


@pytest.mark.parametrize("name", ["senses", "modifiers", "adjectives", "disease_heads", "generic"])
def test_tables_have_rows_of_one_width(name):
    assert len({len(row) for row in table(name)}) == 1
