"""What remains of a statement without its values: statements of one skeleton ask the same of other values."""

from sqlglot import exp

from benchmarks.ehrsql.periods import timed_column
from benchmarks.ehrsql.sql import parse


def skeleton(sql: str) -> str:
    """The statement with ``?`` for each value and without conditions on a time."""
    tree = parse(sql)
    for test in [*tree.find_all(exp.EQ), *tree.find_all(exp.GTE)]:
        if timed_column(test) is not None:
            test.replace(exp.true())
    for value in list(tree.find_all(exp.Literal)):
        value.replace(exp.Placeholder())
    plain = tree.sql(dialect="sqlite").replace(" AND TRUE", "").replace("TRUE AND ", "")
    return plain.replace(" WHERE TRUE", "")
