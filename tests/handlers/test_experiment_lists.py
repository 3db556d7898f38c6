"""Several experiments in one line."""

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.experiment_lists import split_references

ID = "0123456789abcdef" * 2
LINK = f"https://app.clear.ml/projects/{ID}/experiments/{ID}/output/log"


@pytest.mark.parametrize(
    ("line", "references"),
    [
        ("", ()),
        ("4f2a", ("4f2a",)),
        ("4f2a 81c0", ("4f2a", "81c0")),
        ("4f2a, 81c0,beef", ("4f2a", "81c0", "beef")),
        (f"{ID} {LINK}", (ID, LINK)),
        ("last", ("last",)),
        ("last 3", ("last 3",)),
        ("LAST 3", ("last 3",)),
        ("4f2a last 3 81c0", ("4f2a", "last 3", "81c0")),
        ("last 2024", ("last", "2024")),
        ("first run", ("first run",)),
        ("last epoch", ("last epoch",)),
        ("baseline 4f2a", ("baseline 4f2a",)),
        ("first run, second run", ("first run, second run",)),
        ("'first run' 'second run'", ("first run", "second run")),
        ("“first run”, “second run”", ("first run", "second run")),
        ("'first run' baseline", ("first run", "baseline")),
        ("4f2a 81c0 'first run' last 2", ("4f2a", "81c0", "first run", "last 2")),
        ("'4f2a 81c0'", ("4f2a 81c0",)),
        (",", ()),
    ],
)
def test_words_are_split_into_references(line: str, references: tuple[str, ...]) -> None:
    assert split_references(split_words(line)) == references


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ('--find "status=failed mine"', {"find": "status=failed mine"}),
        ("--find 'status=failed mine' queue=gpu", {"find": "status=failed mine", "queue": "gpu"}),
        ("—find “status=failed mine”", {"find": "status=failed mine"}),
        ("--find status=failed mine", {"find": "status=failed mine"}),
        ("--find status=failed mine --force", {"find": "status=failed mine", "force": True}),
        ("--find status=draft front queue=gpu", {"find": "status=draft", "front": True, "queue": "gpu"}),
        ("--find front", {"find": "front"}),
        ("--find status=draft 'front'", {"find": "status=draft 'front'"}),
        ("--find 'status=draft' front", {"find": "status=draft", "front": True}),
        ("queue=gpu --find status=failed 'two words'", {"queue": "gpu", "find": "status=failed 'two words'"}),
        ("find='status=failed mine'", {"find": "status=failed mine"}),
        ("--find='status=failed mine' front", {"find": "status=failed mine", "front": True}),
    ],
)
def test_a_search_is_an_option(line: str, arguments: dict[str, object]) -> None:
    command = build_registry().get("enqueue")
    assert command
    assert bind(command, split_words(line)) == arguments
