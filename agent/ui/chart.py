"""The chart of an answer on the page: a picture drawn on this machine, once for light and once for dark ground.

The picture is an image, in which no script and no link of a drawing can act; it says in words what it shows.
"""

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from agent.charts.palette import Theme
from agent.ui.escape import escape

_KEPT = 64


def figure(spec: Mapping[str, Any]) -> str:
    """A chart as HTML."""
    source = json.dumps(spec, ensure_ascii=False)
    said = escape(spec.get("description", ""))
    themes: tuple[Theme, ...] = ("light", "dark")
    pictures = "".join(
        f'<img class="cr-chart-{theme}" src="{_picture(source, theme)}" alt="{said}">' for theme in themes
    )
    return f'<figure class="cr-chart">{pictures}</figure>'


@lru_cache(maxsize=_KEPT)
def _picture(source: str, theme: Theme) -> str:
    """A chart as the address of an image that holds it."""
    from agent.charts.render import svg  # only here: the renderer takes a moment to load

    drawn = base64.b64encode(svg(json.loads(source), theme).encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{drawn}"
