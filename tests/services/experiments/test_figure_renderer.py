"""Figures: their content, size and labels, and that they are rendered off the event loop."""

import asyncio
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from clearml_chatops.models.figures import MAX_PANELS, Bar, Line, Panel
from clearml_chatops.services.experiments.figure_renderer import FigureRenderer
from tests.support.scalars import decode_png, list_colours

_MAX_WIDTH = 1280
_BLUE = (0x00, 0x72, 0xB2)
_RED = (0xD5, 0x5E, 0x00)
_FALLING_LINE = Line("train", tuple(map(float, range(100))), tuple(1 / (step + 1) for step in range(100)))


@pytest.fixture
def renderer(tmp_path: Path) -> FigureRenderer:
    return FigureRenderer(tmp_path / "cache")


@pytest.fixture
def figures(renderer: FigureRenderer) -> ModuleType:
    """The module `figures`, loaded as the program loads it, with its cache in the test's folder."""
    return renderer._load_figures_module()


def _build_panel(*values: float, title: str = "loss") -> Panel:
    return Panel(title, (Line("train", tuple(map(float, range(len(values)))), values),))


@pytest.mark.parametrize("count", range(1, MAX_PANELS + 1))
async def test_a_picture_fits_a_phone_and_no_panel_is_empty(renderer: FigureRenderer, count: int) -> None:
    picture = decode_png(await renderer.render_curves("baseline", [Panel("loss", (_FALLING_LINE,))] * count))

    assert picture.width <= _MAX_WIDTH
    assert picture.width + picture.height < 10_000
    columns = 1 if count <= 3 else 2
    rows = math.ceil(count / columns)
    for index in range(count):
        left, top = index % columns * picture.width // columns, index // columns * picture.height // rows
        part = picture.crop((left, top, left + picture.width // columns, top + picture.height // rows))
        drawn = {colour for _, colour in part.getcolors(part.width * part.height) or ()}
        assert _BLUE in drawn, index


async def test_more_panels_than_can_be_read_are_refused(renderer: FigureRenderer) -> None:
    for panels in ([], [_build_panel(1.0)] * (MAX_PANELS + 1)):
        with pytest.raises(ValueError, match="1 to 6 panels"):
            await renderer.render_curves("baseline", panels)


async def test_each_variant_is_a_line_of_its_own_colour(renderer: FigureRenderer) -> None:
    other = Line("validation", _FALLING_LINE.x, tuple(value + 1 for value in _FALLING_LINE.y))
    assert {_BLUE, _RED} <= list_colours(
        await renderer.render_curves("baseline", [Panel("loss", (_FALLING_LINE, other))])
    )
    assert _RED not in list_colours(await renderer.render_curves("baseline", [Panel("loss", (_FALLING_LINE,))]))


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
async def test_finite_values_are_visible_even_as_a_single_point(
    renderer: FigureRenderer, values: tuple[float, ...]
) -> None:
    assert _BLUE in list_colours(await renderer.render_curves("baseline", [_build_panel(*values)]))


@pytest.mark.parametrize("values", [(), (math.nan,), (math.inf, -math.inf), (1.7e308,)])
async def test_a_panel_without_finite_values_says_so(renderer: FigureRenderer, values: tuple[float, ...]) -> None:
    png = await renderer.render_curves("baseline", [_build_panel(*values)])
    assert _BLUE not in list_colours(png)
    assert len(list_colours(png)) > 2


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize(
    "name",
    ["$x^2$", "_private", r"\frac{1}", "a $ b", "<!channel> <b>", "{x", "$", "\\", "x" * 500, "имя", "学习 🚀"],
)
async def test_names_are_drawn_unchanged_everywhere(renderer: FigureRenderer, name: str) -> None:
    lines = (Line(name, (0.0, 1.0), (1.0, 2.0)), Line("other", (0.0, 1.0), (2.0, 1.0)))
    png = await renderer.render_curves(name, [Panel(name, lines)])
    assert decode_png(png).width <= _MAX_WIDTH


def test_names_are_not_parsed_as_mathematics_or_omitted(figures: ModuleType) -> None:
    lines = (Line("_d", (0.0,), (1.0,)), Line("$e$", (0.0,), (2.0,)))
    figure = figures.build_curves_figure("$a$_b", [Panel(r"\c", lines)])
    (axes,) = figure.axes
    legend = axes.get_legend()
    assert legend is not None
    texts = legend.get_texts()
    assert [text.get_text() for text in texts] == ["_d", "$e$"]
    assert axes.get_title(loc="left") == r"\c"
    assert not any(text.get_parse_math() for text in texts)
    assert figure.get_suptitle() == "$a$_b"


async def test_undrawable_characters_are_replaced(renderer: FigureRenderer, figures: ModuleType) -> None:
    await renderer.render_curves("nul\x00 lone \ud800 turn\u202e", [_build_panel(1.0)])
    (axes,) = figures.build_curves_figure("x", [_build_panel(1.0, title="lone \ud800\nline")]).axes
    assert axes.get_title(loc="left") == "lone \N{REPLACEMENT CHARACTER} line"


def test_the_legend_is_cut_if_there_are_many_lines(figures: ModuleType) -> None:
    lines = tuple(Line(f"v{number}", (0.0, 1.0), (1.0, number)) for number in range(30))
    (axes,) = figures.build_curves_figure("x", [Panel("loss", lines)]).axes
    legend = axes.get_legend()
    assert legend is not None
    assert len(axes.get_lines()) == 30
    assert [text.get_text() for text in legend.get_texts()] == [f"v{number}" for number in range(8)]
    assert legend.get_title().get_text() == "and 22 more"


async def test_bars_show_shares_and_highlights(renderer: FigureRenderer) -> None:
    bars = [Bar("0", 0.5, "40 of 80 GiB"), Bar("1", 0.9, "idle", is_highlighted=True), Bar("2", None, "lost")]
    png = await renderer.render_bars("lab", bars)
    assert decode_png(png).width <= _MAX_WIDTH
    assert len(list_colours(png)) > len(list_colours(await renderer.render_bars("lab", [Bar("2", None, "lost")])))


async def test_rendering_runs_in_a_thread_and_does_not_block_the_loop(
    renderer: FigureRenderer, figures: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    loop_ran = asyncio.Event()
    loop = asyncio.get_running_loop()

    def draw(_title: str, _panels: object) -> bytes:
        threads.append(threading.current_thread())
        # Returns only after the loop has run.
        asyncio.run_coroutine_threadsafe(_set_event(loop_ran), loop).result(timeout=60)
        return b"png"

    monkeypatch.setattr(figures, "render_curves_png", draw)

    assert await renderer.render_curves("x", [_build_panel(1.0)]) == b"png"
    assert loop_ran.is_set()
    assert threads[0] is not threading.main_thread()


def test_the_first_figure_needs_no_home_and_leaves_no_environment_variable(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    script = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from clearml_chatops.models.figures import Line, Panel\n"
        "from clearml_chatops.services.experiments.figure_renderer import FigureRenderer\n"
        "assert 'matplotlib' not in sys.modules\n"
        f"renderer = FigureRenderer(Path({str(cache)!r}))\n"
        "png = asyncio.run(renderer.render_curves('x', [Panel('loss', (Line('a', (0.0,), (1.0,)),))]))\n"
        "assert png.startswith(b'\\x89PNG')\n"
        "assert 'MPLCONFIGDIR' not in os.environ\n"
    )
    environment = {key: value for key, value in os.environ.items() if key not in {"HOME", "MPLCONFIGDIR"}}
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert list(cache.iterdir())


def test_matplotlib_is_not_loaded_at_startup() -> None:
    script = "import sys, clearml_chatops.bot.program; print('matplotlib' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


async def _set_event(event: asyncio.Event) -> None:
    event.set()
