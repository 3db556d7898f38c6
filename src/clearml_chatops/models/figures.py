"""Content of figures: curves in panels, and bars."""

from dataclasses import dataclass

MAX_PANELS = 6
"""The most panels that are readable on a phone."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve; NaN and infinite values are gaps in it."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves that share one pair of axes."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A share between 0 and 1 (None if unknown), with a label before the bar and a text inside."""

    label: str
    share: float | None
    text: str
    is_highlighted: bool = False
