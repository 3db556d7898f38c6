"""Replies on a terminal of 80 columns without colours."""

from io import StringIO

from rich.cells import cell_len
from rich.console import Console

from clearml_chatops.bot.frontends.console.rendering import render, render_notification
from clearml_chatops.bot.frontends.console.tables import fit_widths
from clearml_chatops.models.replies import (
    Block,
    Button,
    Buttons,
    Choice,
    Code,
    Fields,
    Link,
    Reply,
    Table,
    Text,
    Tone,
)


def render_lines(*blocks: Block, width: int = 80, screen: bool = False) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=width, force_terminal=screen, color_system=None)
    console.print(render(Reply.of(*blocks)), crop=False)
    return file.getvalue().splitlines()


def test_tones_have_marks() -> None:
    lines = render_lines(
        Text("baseline", Tone.HEADING),
        Text("done", Tone.SUCCESS),
        Text("careful", Tone.WARNING),
        Text("broken", Tone.FAILURE),
        Text("by the way", Tone.SUBTLE),
    )

    assert lines == ["  baseline", "  ✓ done", "  ! careful", "  ✗ broken", "  by the way"]


def test_a_long_sentence_is_indented_by_its_mark() -> None:
    lines = render_lines(Text("word " * 30, Tone.FAILURE))

    assert lines[0].startswith("  ✗ word")
    assert lines[1].startswith("    word")
    assert max(map(len, lines)) <= 80


def test_fields_are_in_two_columns() -> None:
    lines = render_lines(Fields((("id", "3f2a9c1e"), ("project", "Vision"), ("worker", ""))))

    assert lines == ["  id       3f2a9c1e", "  project  Vision", "  worker   —"]


def test_a_value_of_several_lines_stays_in_its_column() -> None:
    lines = render_lines(Fields((("setup", "apt update\napt install git"), ("id", "1"))))

    assert lines == ["  setup  apt update", "         apt install git", "  id     1"]


def test_a_very_long_label_does_not_push_the_values_away() -> None:
    lines = render_lines(Fields((("accuracy on the validation set", "0.9"), ("id", "1"))))

    assert lines == ["  accuracy on the validation set", "      0.9", "  id  1"]


def test_a_value_of_3000_characters_is_whole_and_within_the_width() -> None:
    lines = render_lines(Fields((("arguments", "x" * 3000),)))

    assert "".join(lines).count("x") == 3000
    assert max(map(len, lines)) <= 80


def test_a_web_address_stays_in_one_piece() -> None:
    address = "http://clearml.example/projects/" + "a" * 80

    assert any(address in line for line in render_lines(Fields((("web", address),))))


def test_a_table_folds_its_widest_column_and_keeps_the_ids_whole() -> None:
    rows = (("3f2a9c1e", "baseline " * 12, "Completed", "3"), ("81c0aa12", "x", "Failed", "12"))

    lines = render_lines(Table(("id", "name", "status", "place"), rows))

    assert lines[0].split() == ["id", "name", "status", "place"]
    assert lines[2].startswith("  3f2a9c1e  baseline")
    assert sum(line.count("baseline") for line in lines) == 12
    assert max(map(len, lines)) <= 80
    assert lines[-1].endswith("     12")


def test_a_table_without_headings_has_no_rule() -> None:
    assert render_lines(Table(("", ""), (("/find", "Find."),))) == ["  /find  Find."]


def test_a_table_without_rows_says_so() -> None:
    assert render_lines(Table(("id", "name"), ()))[-1] == "  Nothing to show"


def test_wide_columns_share_the_remaining_width() -> None:
    assert fit_widths([8, 50, 60, 4], 72) == [8, 30, 30, 4]
    assert fit_widths([8, 50], 80) == [8, 50]
    assert fit_widths([], 80) == []


def test_log_lines_stay_whole_in_a_pipe() -> None:
    line = "  File “train.py”, " + "word " * 40 + "end"

    assert render_lines(Code(f"first\n{line}\n")) == ["  │ first", f"  │ {line}"]


def test_log_lines_are_folded_beside_their_rule_on_a_screen() -> None:
    assert render_lines(Code("x" * 100), screen=True) == ["  │ " + "x" * 76, "  ┊ " + "x" * 24]


def test_buttons_are_numbered_through_the_whole_reply() -> None:
    lines = render_lines(
        Text("What next?"),
        Buttons((Button("Log", "/log"), Button("Retry", "/retry"))),
        Choice("Which one?", (Button("baseline", "/use 1"), Button("other", "/use 2"))),
    )

    assert lines == [
        "  What next?",
        "  [1] Log   [2] Retry",
        "",
        "  Which one?",
        "  [3] baseline",
        "  [4] other",
    ]


def test_buttons_wrap_to_the_next_line() -> None:
    lines = render_lines(Buttons((Button("a" * 50, "/a"), Button("b" * 50, "/b"))))

    assert lines == ["  [1] " + "a" * 50, "  [2] " + "b" * 50]


def test_an_empty_row_of_buttons_is_left_out() -> None:
    assert render_lines(Text("Done."), Buttons(())) == ["  Done."]


def test_a_notification_has_a_mark_in_the_margin() -> None:
    file = StringIO()
    reply = Reply.of("It started.", Buttons((Button("Show", "/show"),)))

    Console(file=file, width=80).print(render_notification(reply, first_number=4))

    assert file.getvalue() == "● It started.\n  [4] Show\n"


def test_markup_in_names_is_shown_literally() -> None:
    evil = "[red]x[/red] :smile: [link=file:///]y[/link]"

    for block in (
        Text(evil),
        Fields(((evil, evil),)),
        Table((evil,), ((evil,),)),
        Code(evil),
        Buttons((Button(evil, "/x"),)),
        Choice(evil, (Button(evil, "/x"),)),
    ):
        assert evil in "\n".join(render_lines(block))


def test_control_characters_are_sanitized() -> None:
    evil = "a\x1b[31mb\x07c\u202egpj.exe\x9b2J\x1b]0;title\x07\r\x08\u2066\u2028\ud800"

    for block in (
        Text(evil),
        Text(evil, Tone.HEADING),
        Fields(((evil, evil),)),
        Table((evil,), ((evil,),)),
        Code(evil),
        Buttons((Button(evil, "/x"),)),
        Choice(evil, (Button(evil, "/x"),)),
    ):
        text = "\n".join(render_lines(block))
        assert text.replace("\n", "").isprintable()
        assert "a" in text


def test_an_escape_sequence_in_a_name_is_made_visible() -> None:
    assert render_lines(Text("\x1b[31mred\x07")) == ["  ␛[31mred␇"]


def test_a_log_loses_its_colours_and_carriage_returns() -> None:
    assert render_lines(Code("\x1b[32mok\x1b[0m\n 10%\r 20%\r\n\tend")) == [
        "  │ ok",
        "  │  10%",
        "  │  20%",
        "  │         end",
    ]


def test_a_newline_in_a_name_is_made_visible() -> None:
    evil = "name\n✓ Completed"

    for block in (Text(evil, Tone.HEADING), Table(("name",), ((evil,),)), Buttons((Button(evil, "/x"),))):
        assert any("name⏎✓ Completed" in line for line in render_lines(block))


def test_wide_characters_count_as_two_columns() -> None:
    lines = render_lines(Table(("name", "status"), (("実験" * 40, "Running"),)))

    assert max(map(cell_len, lines)) <= 80
    assert lines[2].endswith("Running")


def test_no_line_ends_in_spaces() -> None:
    lines = render_lines(
        Table(("a", "b"), (("1", "x"), ("long one", ""))),
        Text("word " * 40),
        Code("x  \n\n"),
        Fields((("a", "b "),)),
    )

    assert not [line for line in lines if line.endswith(" ")]


def test_a_narrow_terminal_loses_nothing() -> None:
    cells = ("3f2a9c1e", "baseline", "Completed", "Vision", "anna", "2 h ago")

    text = "".join("".join(line.split()) for line in render_lines(Table(cells, (cells,)), width=40))

    assert sorted(text.replace("─", "")) == sorted("".join("".join(cell.split()) for cell in cells) * 2)


def test_a_terminal_without_unicode_gets_plain_marks() -> None:
    class Latin1File(StringIO):
        encoding = "latin-1"

    file = Latin1File()
    Console(file=file, width=80).print(render(Reply.of(Text("done", Tone.SUCCESS), Code("line"))))

    assert file.getvalue() == "  + done\n  | line\n"


def test_links_are_printed_below_the_buttons() -> None:
    link = Link("Open in ClearML", "http://localhost:8080/projects/p/experiments/e1")

    assert render_lines(Buttons((Button("Clone", "/clone e1"),), (link,))) == [
        "  [1] Clone",
        "  Open in ClearML: http://localhost:8080/projects/p/experiments/e1",
    ]
    assert render_lines(Buttons((), (link,))) == [
        "  Open in ClearML: http://localhost:8080/projects/p/experiments/e1"
    ]
