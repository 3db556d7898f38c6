"""SVG pictures of the terminal, for the documentation."""

from io import StringIO

from rich.console import Console

_TEMPLATE = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
    font-size: {char_height}px;
    line-height: {line_height}px;
}}
.{unique_id}-title {{
    font-family: system-ui, "DejaVu Sans", sans-serif;
    font-size: 16px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Not rich's own template: that one loads a font from a server, which pages on GitHub may not do."""


def create_recording_console(width: int = 92) -> Console:
    """Return a console that shows nothing and records everything, always in colour."""
    return Console(
        file=StringIO(),
        record=True,
        width=width,
        force_terminal=True,
        force_interactive=False,
        color_system="truecolor",
        no_color=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def render_screenshot(console: Console, title: str) -> str:
    """Return everything that a console recorded as a self-contained SVG."""
    return console.export_svg(title=title, code_format=_TEMPLATE, clear=False)
