"""``chartroom knowledge show``, ``paths`` and ``check``: looking at the graph."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from agent.cli.terminal import JsonOption, err, out, print_json
from agent.paths import knowledge_graph_folder
from knowledge.errors import ConfigError
from knowledge.graph import KnowledgeGraph, Node, ensure
from knowledge.ontologies.checks import disagreements, hierarchy_cycles

_RELATIONS_SHOWN = 20


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``knowledge``."""
    group.command("show")(show_command)
    group.command("paths")(paths_command)
    group.command("check")(check_command)


ConceptArgument = Annotated[
    str,
    typer.Argument(help="Id (disease:mi), code (icd10:I21) or a name in either language.", metavar="CONCEPT"),
]
LanguageOption = Annotated[str, typer.Option("--language", "-l", help="en or zh, for names.")]


def show_command(concept: ConceptArgument, as_json: JsonOption = False) -> None:
    """Show concepts: names, codes and relations, each with the source that says so."""
    with ensure(knowledge_graph_folder()) as graph:
        nodes = _meant(graph, concept)
        if as_json:
            print_json([_as_dict(graph, node) for node in nodes])
            return
        for node in nodes:
            _show(graph, node)


def paths_command(
    one: ConceptArgument,
    other: ConceptArgument,
    hops: Annotated[int, typer.Option("--hops", min=1, max=3, help="Relations of a path at most.")] = 3,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Paths at most.")] = 10,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Show how two concepts are connected, the most telling paths first."""
    from knowledge.graph.walk import paths  # only here: networkx takes a while to import
    from knowledge.graph.wording import path_text

    with ensure(knowledge_graph_folder()) as graph:
        ends = [[node.id for node in _meant(graph, text)] for text in (one, other)]
        found = paths(graph, *ends, max_hops=hops, limit=limit)
        if as_json:
            print_json([[asdict(edge) for edge in path] for path in found])
            return
        if not found:
            out().print(f"No path of at most {hops} relations connects them.")
        for path in found:
            out().print(path_text(graph, path, _language(language)), markup=False, soft_wrap=True)
            for edge in path:
                cited = ", ".join(str(part) for part in (edge.source, edge.section, edge.year) if part)
                out().print(f"    {cited} [{edge.source_id}]", style="dim", markup=False, soft_wrap=True)


def check_command(as_json: JsonOption = False) -> None:
    """Check the graph: its file, circles in the hierarchy, codes on which sources disagree.

    The exit code is 1 where the file was altered; what sources say oddly is listed and is no failure.
    """
    with ensure(knowledge_graph_folder()) as graph:
        circles = graph.inspect(hierarchy_cycles)
        differing = graph.inspect(disagreements)
        left = {source.id: graph.left(source.id) for source in graph.sources()}
    if as_json:
        print_json({"cycles": circles, "disagreements": [asdict(one) for one in differing], "left": left})
        return
    out().print("The file is what was written.")
    out().print(f"Circles in the hierarchy: {len(circles)}")
    for circle in circles[:_RELATIONS_SHOWN]:
        out().print(f"  {', '.join(circle)}", markup=False, soft_wrap=True)
    out().print(f"Codes on which two sources disagree; both are kept: {len(differing):,}")
    for one in differing[:_RELATIONS_SHOWN]:
        out().print(
            f"  {one.concept} {one.system}: {one.mine} / {one.theirs} [{one.source_id}]",
            markup=False,
            soft_wrap=True,
        )
    for source, reasons in left.items():
        if reasons:
            out().print(f"Left out of {source}: {sum(entries for _, entries, _ in reasons):,}", markup=False)


def _meant(graph: KnowledgeGraph, text: str) -> tuple[Node, ...]:
    """The concepts that a word on the command line means."""
    nodes = graph.nodes((text,)) or graph.named(text)
    if not nodes:
        system, colon, code = text.partition(":")
        nodes = graph.by_code(system.lower(), code) if colon and code else ()
    if not nodes:
        raise ConfigError(
            f"The graph knows no concept {text!r}. Give an id, a code as system:code, or a name."
        )
    return nodes


def _language(text: str) -> Literal["en", "zh"]:
    if text not in ("en", "zh"):
        raise typer.BadParameter(f"{text!r} is no language; use en or zh.")
    return text  # type: ignore[return-value]  # checked above


def _as_dict(graph: KnowledgeGraph, node: Node) -> dict[str, object]:
    return {
        **asdict(node),
        "names": [asdict(name) for name in graph.names(node.id)],
        "codes": [asdict(code) for code in graph.codes(node.id)],
        "ancestors": graph.ancestors(node.id),
        "relations": [asdict(edge) for edge in graph.edges((node.id,), direction="both")],
    }


def _show(graph: KnowledgeGraph, node: Node) -> None:
    from knowledge.graph.wording import path_text

    console = out()
    console.print(
        f"{node.id}  {node.en}  {node.zh or ''}  ({node.type})", style="bold", markup=False, soft_wrap=True
    )
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in graph.names(node.id):
        names[name.language, name.form].append(name.source_id)
    _list("names", (f"{form} [{_distinct(by)}]" for (_, form), by in names.items()))
    codes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for code in graph.codes(node.id):
        mark = "≈" if code.scope == "approximate" else ""
        codes[code.system][mark + code.code].append(code.source_id)
    for system, by_code in codes.items():
        _list(system, (f"{code} [{_distinct(by)}]" for code, by in by_code.items()))
    _list("is a", (one.en for one in graph.nodes(graph.ancestors(node.id))))
    edges = [edge for edge in graph.edges((node.id,), direction="both") if edge.relation != "is_a"]
    for edge in edges[:_RELATIONS_SHOWN]:
        remark = f" ({edge.severity})" if edge.severity else ""
        console.print(
            f"  {path_text(graph, (edge,))}{remark}  [{edge.source}{f', {edge.year}' if edge.year else ''}]",
            markup=False,
            soft_wrap=True,
        )
    if len(edges) > _RELATIONS_SHOWN:
        err().print(f"  {len(edges) - _RELATIONS_SHOWN:,} more relations; see --json", style="dim")


def _list(title: str, entries: Iterable[str]) -> None:
    if text := "; ".join(entries):
        out().print(f"  {title}: {text}", markup=False, soft_wrap=True)


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
