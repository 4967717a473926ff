"""The marks that a chart can be drawn with."""

from typing import Literal

Mark = Literal["line", "bar", "stacked_bar", "arc", "point", "histogram", "box"]
AskedChart = Mark | Literal["auto", "offered"]
"""What a question asks for: a mark, a chart of whatever mark fits, or none, but one is ``offered``."""
