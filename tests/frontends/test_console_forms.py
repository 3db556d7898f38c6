"""A form at the terminal: its values, the changed ones, and how to type them."""

from io import StringIO

from rich.console import Console

from clearml_chatops.bot.frontends.console.rendering import render
from clearml_chatops.models.replies import Form, FormField, Outcome, Reply


def render_form(form: Form, *, width: int = 60) -> str:
    console = Console(file=StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(render(Reply((form,), Outcome.ASKED)), crop=False)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_values_are_grouped_and_changed_ones_are_marked() -> None:
    form = Form(
        "Parameters of “two GPUs”",
        "/set 4f2a",
        (
            FormField("Args/lr", "lr", "0.1", group="Args", hint="float"),
            FormField("Args/gpus", "gpus", "1,2", group="Args", hint="parent: 0", changed=True),
            FormField("General/note", "note", "", group="General"),
        ),
    )
    assert render_form(form) == (
        "  Parameters of “two GPUs”\n"
        "\n"
        "  Args\n"
        "    lr    0.1\n"
        "          float\n"
        "  * gpus  1,2\n"
        "          parent: 0\n"
        "\n"
        "  General\n"
        "    note  —\n"
        "\n"
        "  * differs from the parent\n"
        "\n"
        "  Type: /set 4f2a Args/lr=… Args/gpus=… General/note=…\n"
    )


def test_positional_values_are_shown_as_placeholders() -> None:
    form = Form(
        "Clone",
        "/clone",
        (
            FormField("experiment", "experiment", positional=True, required=True),
            FormField("name", "name", positional=True),
        ),
    )
    text = render_form(form)
    assert "Type: /clone <experiment> [name]" in text
    assert "differs" not in text


def test_long_and_hostile_values_are_sanitized() -> None:
    form = Form(
        "t\x1b[31m",
        "/set 4f2a",
        tuple(
            FormField(f"Args/{name}", name, "two\nlines \x1b[2J[red]x[/red]", group="A\x07rgs")
            for name in ("a" * 70, "b", "c", "d")
        ),
    )
    text = render_form(form)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]x[/red]" in text
    assert max(map(len, text.splitlines())) <= 60
    assert text.rstrip().endswith("…")
