"""Pictures: that they are drawn, of which size, with whose names, and never on the event loop."""

import asyncio
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from clearml_chatops.models.figures import MOST_PANELS, Bar, Line, Panel
from clearml_chatops.services.experiments.drawing import Drawing
from tests.support.scalars import colours, decoded

_WIDEST = 1280
_BLUE = (0x00, 0x72, 0xB2)
_RED = (0xD5, 0x5E, 0x00)
_FALLING = Line("train", tuple(map(float, range(100))), tuple(1 / (step + 1) for step in range(100)))


@pytest.fixture
def drawing(tmp_path: Path) -> Drawing:
    return Drawing(tmp_path / "cache")


@pytest.fixture
def figures(drawing: Drawing) -> ModuleType:
    """The module that draws, loaded as the program loads it: with its files in the test's own folder."""
    return drawing._figures()


def _panel(*values: float, title: str = "loss") -> Panel:
    return Panel(title, (Line("train", tuple(map(float, range(len(values)))), values),))


@pytest.mark.parametrize("count", range(1, MOST_PANELS + 1))
async def test_a_picture_is_as_wide_as_a_phone_shows_and_no_panel_is_empty(drawing: Drawing, count: int) -> None:
    picture = decoded(await drawing.curves("baseline", [Panel("loss", (_FALLING,))] * count))

    assert picture.width <= _WIDEST
    assert picture.width + picture.height < 10_000
    columns = 1 if count <= 3 else 2
    rows = math.ceil(count / columns)
    for place in range(count):
        left, top = place % columns * picture.width // columns, place // columns * picture.height // rows
        part = picture.crop((left, top, left + picture.width // columns, top + picture.height // rows))
        drawn = {colour for _, colour in part.getcolors(part.width * part.height) or ()}
        assert _BLUE in drawn, place


async def test_more_panels_than_can_be_read_are_refused(drawing: Drawing) -> None:
    for panels in ([], [_panel(1.0)] * (MOST_PANELS + 1)):
        with pytest.raises(ValueError, match="1 to 6 panels"):
            await drawing.curves("baseline", panels)


async def test_each_variant_is_a_line_of_its_own_colour(drawing: Drawing) -> None:
    other = Line("validation", _FALLING.x, tuple(value + 1 for value in _FALLING.y))
    assert {_BLUE, _RED} <= colours(await drawing.curves("baseline", [Panel("loss", (_FALLING, other))]))
    assert _RED not in colours(await drawing.curves("baseline", [Panel("loss", (_FALLING,))]))


@pytest.mark.parametrize(
    "values",
    [
        (0.5,),
        (math.nan, 0.5, math.nan),
        (0.5, math.nan, 0.25, math.inf, 0.125),
        (0.5, -math.inf, 1.7e308),
        (1e-300, 2e-300),
        (0.0, 0.0),
    ],
)
async def test_what_is_finite_is_seen_also_where_it_is_one_point(
    drawing: Drawing, values: tuple[float, ...]
) -> None:
    assert _BLUE in colours(await drawing.curves("baseline", [_panel(*values)]))


@pytest.mark.parametrize("values", [(), (math.nan,), (math.inf, -math.inf), (1.7e308,)])
async def test_where_nothing_is_finite_the_panel_says_so(drawing: Drawing, values: tuple[float, ...]) -> None:
    png = await drawing.curves("baseline", [_panel(*values)])
    assert _BLUE not in colours(png)
    assert len(colours(png)) > 2


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(
    "name",
    ["$x^2$", "_private", r"\frac{1}", "a $ b", "<!channel> <b>", "{x", "$", "\\", "x" * 500, "имя", "学习 🚀"],
)
async def test_a_name_is_drawn_as_it_is_wherever_it_stands(drawing: Drawing, name: str) -> None:
    lines = (Line(name, (0.0, 1.0), (1.0, 2.0)), Line("other", (0.0, 1.0), (2.0, 1.0)))
    png = await drawing.curves(name, [Panel(name, lines)])
    assert decoded(png).width <= _WIDEST


def test_names_are_neither_mathematics_nor_left_out(figures: ModuleType) -> None:
    lines = (Line("_d", (0.0,), (1.0,)), Line("$e$", (0.0,), (2.0,)))
    figure = figures.curves_figure("$a$_b", [Panel(r"\c", lines)])
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    texts = legend.get_texts()
    assert [text.get_text() for text in texts] == ["_d", "$e$"]
    assert axes.get_title(loc="left") == r"\c"
    assert not any(text.get_parse_math() for text in texts)
    assert figure.get_suptitle() == "$a$_b"


async def test_signs_that_cannot_be_drawn_are_replaced(drawing: Drawing, figures: ModuleType) -> None:
    await drawing.curves("nul\x00 lone \ud800 turn\u202e", [_panel(1.0)])
    (axes,) = figures.curves_figure("x", [_panel(1.0, title="lone \ud800\nline")]).axes
    assert axes.get_title(loc="left") == "lone \N{REPLACEMENT CHARACTER} line"


def test_many_lines_are_named_as_far_as_there_is_room(figures: ModuleType) -> None:
    lines = tuple(Line(f"v{number}", (0.0, 1.0), (1.0, number)) for number in range(30))
    (axes,) = figures.curves_figure("x", [Panel("loss", lines)]).axes
    legend = axes.get_legend()
    assert legend is not None
    assert len(axes.get_lines()) == 30
    assert [text.get_text() for text in legend.get_texts()] == [f"v{number}" for number in range(8)]
    assert legend.get_title().get_text() == "and 22 more"


async def test_bars_show_shares_and_what_is_marked(drawing: Drawing) -> None:
    bars = [Bar("0", 0.5, "40 of 80 GiB"), Bar("1", 0.9, "idle", marked=True), Bar("2", None, "lost")]
    png = await drawing.bars("lab", bars)
    assert decoded(png).width <= _WIDEST
    assert len(colours(png)) > len(colours(await drawing.bars("lab", [Bar("2", None, "lost")])))


async def test_a_picture_is_made_in_a_thread_and_the_loop_goes_on(
    drawing: Drawing, figures: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    turned = asyncio.Event()
    loop = asyncio.get_running_loop()

    def draw(_title: str, _panels: object) -> bytes:
        threads.append(threading.current_thread())
        # Returns only when the loop has run meanwhile.
        asyncio.run_coroutine_threadsafe(_set(turned), loop).result(timeout=60)
        return b"png"

    monkeypatch.setattr(figures, "curves_png", draw)

    assert await drawing.curves("x", [_panel(1.0)]) == b"png"
    assert turned.is_set()
    assert threads[0] is not threading.main_thread()


def test_the_first_picture_needs_no_home_and_leaves_no_setting_behind(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    script = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from clearml_chatops.models.figures import Line, Panel\n"
        "from clearml_chatops.services.experiments.drawing import Drawing\n"
        "assert 'matplotlib' not in sys.modules\n"
        f"drawing = Drawing(Path({str(cache)!r}))\n"
        "png = asyncio.run(drawing.curves('x', [Panel('loss', (Line('a', (0.0,), (1.0,)),))]))\n"
        "assert png.startswith(b'\\x89PNG')\n"
        "assert 'MPLCONFIGDIR' not in os.environ\n"
    )
    environment = {key: value for key, value in os.environ.items() if key not in {"HOME", "MPLCONFIGDIR"}}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert list(cache.iterdir())


def test_no_command_waits_for_matplotlib_before_its_first_picture() -> None:
    script = "import sys, clearml_chatops.bot.composition; print('matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


async def _set(event: asyncio.Event) -> None:
    event.set()
