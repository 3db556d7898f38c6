"""What is drawn: curves in panels, and bars."""

from dataclasses import dataclass

MAX_PANELS = 6
"""Panels that can still be read on a phone."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve; a value that is no number, or infinite, is a gap in it."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves in one system of axes."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A share between 0 and 1 with its name before it and words in it; None where it is not known."""

    label: str
    share: float | None
    text: str
    is_highlighted: bool = False
