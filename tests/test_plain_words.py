"""The texts that people read are plain: none holds a word that the project's dictionary forbids."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.models import errors
from clearml_chatops.models.errors import ChatOpsError

_PROJECT = Path(__file__).parent.parent
_SOURCES = sorted((_PROJECT / "src").rglob("*.py"))
_PAGES = [_PROJECT / "README.md", *sorted((_PROJECT / "docs").glob("*.md"))]

_FORBIDDEN = re.compile(
    r"""
    \b(?:he|his|him|himself|she|her|hers|herself)\b     # people are they, or are named
    | \b(?:shall|whose|whom)\b
    | \bwhat\ becomes\ of\b
    | \bno\ more\b(?!\ than)                            # stop …, no longer
    | \ball\ the\ same\b                                # anyway
    | \botherwise\ than\b                               # differs from
    | \b[Ss]ay\ (?:/|--|“/)                             # use, type, send, tap
    | \b(?:be|is|are|was|were|been|being)\ told\b       # get notified
    | \bas\ it\ is\b
    | \bhas\ it\ that\b
    | \bbeforehand\b
    | \bjust\ now\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CARD = re.compile(r"\bcards?\b", re.IGNORECASE)
_GPU = re.compile(r"\bgpus?\b|NVIDIA|nvml|cuda", re.IGNORECASE)
_FIRST_PERSON = re.compile(r"(?<![\w'’/.-])(?:I|me|my)(?![\w/.-])")


def _find_forbidden(text: str) -> list[str]:
    return [match[0] for match in _FORBIDDEN.finditer(text)]


def _iterate_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each text of a module: what people see, docstrings and comments."""
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for number, line in enumerate(source.splitlines(), 1):
        if "#" in line:
            yield number, line.partition("#")[2]


def _find_in_lines(path: Path) -> dict[str, list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {
        f"{path.name}:{number}": words for number, line in enumerate(lines, 1) if (words := _find_forbidden(line))
    }


def _find_in_source(path: Path) -> dict[str, list[str]]:
    name = path.relative_to(_PROJECT)
    return {f"{name}:{line}": words for line, text in _iterate_texts(path) if (words := _find_forbidden(text))}


def _list_error_texts() -> dict[str, str]:
    classes = (getattr(errors, name) for name in errors.__all__)
    return {
        error.__name__: error.text
        for error in classes
        if isinstance(error, type) and issubclass(error, ChatOpsError)
    }


def _list_help_texts() -> dict[str, str]:
    return {
        f"/{command.name} {number}": text
        for command in build_registry()
        for number, text in enumerate(
            (
                command.summary,
                command.description,
                command.usage,
                command.permission_text,
                *command.examples,
                *(parameter.description for parameter in command.parameters),
            )
        )
    }


def test_texts_docstrings_and_comments_of_the_program_are_plain() -> None:
    assert {place: words for path in _SOURCES for place, words in _find_in_source(path).items()} == {}


def test_pages_are_plain() -> None:
    assert {place: words for path in _PAGES for place, words in _find_in_lines(path).items()} == {}


@pytest.mark.parametrize("list_texts", [_list_error_texts, _list_help_texts])
def test_errors_and_help_speak_to_the_reader_and_call_a_gpu_a_gpu(
    list_texts: Callable[[], dict[str, str]],
) -> None:
    texts = list_texts()
    assert len(texts) > 50
    assert {name: text for name, text in texts.items() if _find_forbidden(text)} == {}
    assert {name: text for name, text in texts.items() if _FIRST_PERSON.search(text)} == {}
    assert {name: text for name, text in texts.items() if _CARD.search(text) and _GPU.search(text)} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Tell here no more when a card is free.",
        "Be told here when an experiment leaves Pending.",
        "Say --force to enqueue it all the same.",
        "Ask him whose card it is.",
    ],
)
def test_stiff_texts_are_found(text: str) -> None:
    assert _find_forbidden(text)


def test_plain_texts_are_accepted() -> None:
    assert not _find_forbidden("No more than 20 alerts. Use --force to enqueue it anyway.")
