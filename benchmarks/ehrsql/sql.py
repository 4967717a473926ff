"""Small readings of SQL syntax trees that every other reader needs: columns, texts, numbers, sub-selects."""

from collections.abc import Iterator
from typing import Literal

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

FUNCTIONS: dict[type[exp.Expr], Literal["mean", "min", "max", "sum"]] = {
    exp.Avg: "mean",
    exp.Min: "min",
    exp.Max: "max",
    exp.Sum: "sum",
}


class Unexpressed(Exception):
    """The statement asks for something that the reader does not recognise; the message names the part."""


def parse(sql: str) -> exp.Expr:
    """The syntax tree of one statement.

    Raises:
        Unexpressed: it is not SQL that SQLite's grammar knows.
    """
    try:
        return parse_one(sql.strip().rstrip(";"), dialect="sqlite")
    except SqlglotError as error:
        raise Unexpressed("the statement does not parse") from error


def conjuncts(select: exp.Select) -> Iterator[exp.Expr]:
    """The conditions of the WHERE clause, all of which hold."""
    where = select.args.get("where")
    if where is not None:
        yield from where.this.flatten() if isinstance(where.this, exp.And) else (where.this,)


def source(select: exp.Select) -> exp.Expr | None:
    """What the FROM clause names: a table, a sub-select, or nothing."""
    clause = select.args.get("from_")
    return None if clause is None else clause.this


def table_of(select: exp.Select) -> str | None:
    """The name of the table in the FROM clause, ``None`` where there is a sub-select or nothing."""
    found = source(select)
    return found.name if isinstance(found, exp.Table) else None


def joined(select: exp.Select) -> list[exp.Expr]:
    """What is joined to the FROM clause."""
    return [join.this for join in select.args.get("joins") or ()]


def only_column(select: exp.Select) -> exp.Expr:
    """The one expression that the statement selects, without its alias."""
    if len(select.expressions) != 1:
        raise Unexpressed("several columns are selected")
    return select.expressions[0].unalias()


def inner(node: exp.Expr | None) -> exp.Select:
    """The SELECT inside parentheses."""
    found = node.this if isinstance(node, exp.Subquery) else node
    if not isinstance(found, exp.Select):
        raise Unexpressed("a sub-select is missing")
    return found


def has_select(node: exp.Expr | None) -> bool:
    """Whether this is a SELECT in parentheses."""
    return isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select)


def membership(test: exp.Expr) -> tuple[exp.Column, exp.Select] | None:
    """``column IN (SELECT …)`` or ``column = (SELECT …)`` as its two sides."""
    if not isinstance(test, exp.In | exp.EQ) or not isinstance(test.this, exp.Column):
        return None
    chosen = test.args.get("query") if isinstance(test, exp.In) else test.expression
    return (test.this, inner(chosen)) if has_select(chosen) else None


def text(node: exp.Expr | None) -> str | None:
    """The text of a string literal."""
    return node.this if isinstance(node, exp.Literal) and node.is_string else None


def number(node: exp.Expr | None) -> float:
    """The value of a number, or of a product or quotient of numbers as SQLite computes it."""
    if isinstance(node, exp.Paren):
        return number(node.this)
    if isinstance(node, exp.Neg):
        return -number(node.this)
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.this) if "." in node.this else int(node.this)
    if isinstance(node, exp.Mul):
        return number(node.this) * number(node.expression)
    if isinstance(node, exp.Div):
        above, below = number(node.this), number(node.expression)
        whole = isinstance(above, int) and isinstance(below, int)
        return above // below if whole else above / below
    raise Unexpressed("a number is missing")


def aliases(select: exp.Select) -> dict[str, exp.Select]:
    """The named sub-selects in FROM and JOIN."""
    parts = [source(select), *joined(select)]
    return {part.alias: inner(part) for part in parts if has_select(part) and part is not None}
