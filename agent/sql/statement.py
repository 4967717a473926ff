"""Layer 1 of the guard: the text of a query, before SQLite sees it.

One SELECT, made only of parts on an allow-list, over tables on an allow-list. A text that cannot be parsed
is refused. What could make sqlglot and SQLite read one text differently (comments, backticks, brackets,
characters beyond ASCII outside quotes) is refused too. Messages name the rule, never the query's values.
"""

import re
from collections.abc import Collection

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from knowledge.errors import QueryRejected

MAX_LENGTH = 100_000
MAX_NESTING = 60
MAX_WILDCARDS = 6

# Functions of SQLite that read their arguments only and give back something of about their size.
FUNCTIONS = frozenset(
    """
    count sum total avg min max abs round coalesce ifnull nullif iif length lower upper substr
    substring trim ltrim rtrim instr date time datetime julianday strftime unixepoch typeof
    group_concat dense_rank rank row_number percent_rank cume_dist ntile lag lead first_value
    last_value like glob cast sqrt floor ceil ceiling sign
    """.split()
)

# Classes of sqlglot's tree; how it names the parts of an allowed SELECT.
_PARTS = frozenset(
    """
    Select Union Except Intersect Subquery CTE With From Join Where Group Having Order Ordered Limit
    Offset Distinct Column Identifier Table TableAlias Alias Star Literal Null Boolean Paren And Or
    Not EQ NEQ GT GTE LT LTE Between In Is Like Glob Case If Cast DataType Add Sub Mul Div Mod Neg
    DPipe Exists Tuple Window WindowSpec Var Collate NullSafeEQ NullSafeNEQ Filter Count Sum Avg Min
    Max Abs Round Coalesce Nullif Length Lower Upper Substring Trim StrPosition Date Datetime Time
    Timestamp TsOrDsToDate TsOrDsToTimestamp TsOrDsToTime TsOrDsAdd TimeToStr StrToTime UnixToTime
    GroupConcat DenseRank Rank RowNumber PercentRank CumeDist Ntile Lag Lead FirstValue LastValue
    Sqrt Floor Ceil Sign Typeof
    """.split()
)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_FORBIDDEN_TEXT = (
    (re.compile(r"--|/\*|\*/"), "comments are not allowed"),
    (re.compile(r"[`\[\]]"), "names are quoted with double quotes only"),
    (re.compile(r"[^\x20-\x7e\t\r\n]"), "characters beyond ASCII are allowed in quotes only"),
    (re.compile(r"['\"]"), "a quote is not closed"),
    (re.compile(r"[?@:$#]"), "parameters are not allowed"),
)


def check_statement(sql: str, tables: Collection[str]) -> str:
    """The statement without its closing semicolon, if it is one allowed SELECT over ``tables``.

    Raises:
        QueryRejected: it is not.
    """
    if len(sql) > MAX_LENGTH:
        raise _rejected(f"it is longer than {MAX_LENGTH:,} characters")
    if "\0" in sql:
        raise _rejected("it has a NUL character in it")
    sql = sql.strip().removesuffix(";").rstrip()
    outside = _QUOTED.sub("''", sql)
    bare = outside.replace("''", "")
    for pattern, why in _FORBIDDEN_TEXT:
        if pattern.search(bare):
            raise _rejected(why)
    if _nesting(bare) > MAX_NESTING:
        raise _rejected(f"it is nested deeper than {MAX_NESTING} levels")
    try:
        statements = sqlglot.parse(sql, read="sqlite")
    except (SqlglotError, RecursionError) as error:
        raise _rejected("it cannot be parsed as SQLite's SQL") from error
    if len(statements) != 1 or statements[0] is None:
        raise _rejected("it must be exactly one statement")
    try:
        _check_tree(statements[0], {table.lower() for table in tables})
    except RecursionError as error:
        raise _rejected("it is nested too deep") from error
    return sql


def _rejected(why: str) -> QueryRejected:
    return QueryRejected(f"The query was refused before it ran: {why}.")


def _nesting(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif character == ")":
            depth -= 1
    return deepest


def _check_tree(tree: exp.Expr, tables: set[str]) -> None:
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise _rejected("only SELECT is allowed")
    ctes: set[str] = set()
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Anonymous):
            if str(node.this).lower() not in FUNCTIONS:
                raise _rejected("it calls a function that is not allowed")
        elif isinstance(node, exp.Func) and kind not in _PARTS:
            raise _rejected(f"it calls a function that is not allowed ({kind})")
        elif kind not in _PARTS:
            raise _rejected(f"it has a part that is not allowed ({kind})")
        if isinstance(node, exp.With) and node.args.get("recursive"):
            raise _rejected("recursion is not allowed")
        if isinstance(node, exp.CTE):
            ctes.add(_cte_name(node, tables))
        if isinstance(node, exp.Like | exp.Glob):
            _check_pattern(node)
    for table in tree.find_all(exp.Table):
        _check_table(table, tables | ctes)


def _cte_name(cte: exp.CTE, tables: set[str]) -> str:
    name = cte.alias.lower()
    if name in tables or name.startswith(("sqlite_", "pragma_")):
        raise _rejected("a WITH name hides a table of the records")
    return name


def _check_table(table: exp.Table, allowed: set[str]) -> None:
    if not isinstance(table.this, exp.Identifier):
        raise _rejected("functions cannot be read as tables")
    if table.args.get("db") or table.args.get("catalog"):
        raise _rejected("tables are named without a database")
    if table.name.lower() not in allowed:
        raise _rejected("it reads a table that is not part of the clinical records")


def _check_pattern(node: exp.Like | exp.Glob) -> None:
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise _rejected("the pattern of LIKE or GLOB must be written out")
    if sum(pattern.name.count(mark) for mark in "%*") > MAX_WILDCARDS:
        raise _rejected(f"a pattern has more than {MAX_WILDCARDS} wildcards")
