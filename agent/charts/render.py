"""Pictures of a chart: SVG, PNG and a page without scripts, drawn on this machine with nothing fetched."""

import html
import json
from collections.abc import Mapping
from typing import Any, Literal

import vl_convert

from agent.charts.palette import Theme, look

Format = Literal["svg", "png", "html", "json"]
_VERSION = "v6.4"
_PNG_SCALE = 2.0


def svg(spec: Mapping[str, Any], theme: Theme = "light") -> str:
    """A chart as SVG."""
    return vl_convert.vegalite_to_svg(
        {**spec, **look(theme)}, vl_version=_VERSION, allowed_base_urls=[], show_warnings=False
    )


def png(spec: Mapping[str, Any], theme: Theme = "light") -> bytes:
    """A chart as PNG, at twice its size for sharp print."""
    return vl_convert.vegalite_to_png(
        {**spec, **look(theme)},
        vl_version=_VERSION,
        scale=_PNG_SCALE,
        allowed_base_urls=[],
        show_warnings=False,
    )


def page(spec: Mapping[str, Any]) -> str:
    """A chart as an HTML page that holds the picture and what it shows in words; no script."""
    title = spec["title"]["text"] if isinstance(spec.get("title"), Mapping) else ""
    said = html.escape(str(spec.get("description", "")))
    figure = f'<figure role="img" aria-label="{said}">{svg(spec)}<figcaption>{said}</figcaption></figure>'
    head = f'<meta charset="utf-8"><title>{html.escape(str(title))}</title>'
    return f"<!doctype html>\n<html><head>{head}</head>\n<body>{figure}</body></html>\n"


def rendered(spec: Mapping[str, Any], form: Format) -> bytes:
    """A chart as the content of a file."""
    if form == "png":
        return png(spec)
    text = {"svg": svg, "html": page, "json": _source}[form](spec)
    return text.encode("utf-8")


def _source(spec: Mapping[str, Any]) -> str:
    return json.dumps(spec, ensure_ascii=False, indent=2)
