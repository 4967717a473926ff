"""The marks that a chart can be drawn with."""

from typing import Literal

Mark = Literal["line", "bar", "stacked_bar", "arc", "point", "histogram", "box"]
AskedChart = Mark | Literal["auto"]
"""What a question asks for: a mark, or a chart of whatever mark fits the result."""
