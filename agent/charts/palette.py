"""Colours and type of charts, on light and on dark ground.

The eight colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with any colour
vision tell apart; yellow and black, which vanish on white or on dark ground, are left out or swapped.
"""

from typing import Any, Literal

Theme = Literal["light", "dark"]
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#8B6DB3")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2), (10, 4), (4, 4), (1, 3), (12, 2, 4, 2))
_FONTS = (
    "system-ui, 'Segoe UI', 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)
_INK: dict[Theme, tuple[str, str, str]] = {
    "light": ("#ffffff", "#1f2937", "#e5e7eb"),
    "dark": ("#0f172a", "#e5e7eb", "#374151"),
}


def look(theme: Theme) -> dict[str, Any]:
    """The ``background`` and ``config`` of a Vega-Lite specification."""
    ground, ink, grid = _INK[theme]
    main = "#0072B2" if theme == "light" else "#56B4E9"
    return {
        "background": ground,
        "config": {
            "font": _FONTS,
            "title": {"anchor": "start", "color": ink, "subtitleColor": ink, "fontSize": 15},
            "axis": {
                "labelColor": ink,
                "titleColor": ink,
                "gridColor": grid,
                "domainColor": ink,
                "tickColor": ink,
                "labelLimit": 240,
                "maxExtent": 300,
            },
            "legend": {"labelColor": ink, "titleColor": ink, "labelLimit": 220},
            "range": {"category": list(COLOURS)},
            "bar": {"color": main},
            "line": {"color": main},
            "point": {"color": main},
            "boxplot": {"box": {"color": main}},
            "arc": {"stroke": ground},
            "view": {"stroke": None},
        },
    }
