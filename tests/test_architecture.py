"""The law of the folders: who may import whom, and how large a file may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import clearml_chatops

_PACKAGE = Path(clearml_chatops.__file__).parent
_PROJECT = _PACKAGE.parent.parent
_SOURCES = sorted(path.relative_to(_PACKAGE).as_posix() for path in _PACKAGE.rglob("*.py"))
_LONGEST_FILE = 400

every_source = pytest.mark.parametrize("source", [path for path in _SOURCES if "migrations/versions" not in path])


def _text(source: str) -> str:
    return (_PACKAGE / source).read_text(encoding="utf-8")


def _imported(source: str) -> Iterator[str]:
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(_text(source))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _importers_of(package: str) -> set[str]:
    return {
        source
        for source in _SOURCES
        if any(f"{module}.".startswith(f"{package}.") for module in _imported(source))
    }


def test_every_contract_of_the_layers_is_kept() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


def test_the_clearml_package_is_imported_in_one_place() -> None:
    # The program that the sandbox's experiment runs is a user's script, not a part of ours.
    assert _importers_of("clearml") - {"sandbox/demo/train.py"} == {"services/clearml_gateway/session.py"}


@pytest.mark.parametrize("library", ["sqlalchemy", "alembic"])
def test_the_database_libraries_are_imported_in_storage_alone(library: str) -> None:
    importers = _importers_of(library)
    assert importers
    assert all(source.startswith("storage/") for source in importers)


@pytest.mark.parametrize(
    ("library", "place"),
    [
        ("slack_bolt", "bot/frontends/slack"),
        ("slack_sdk", "bot/frontends/slack"),
        ("telegram", "bot/frontends/telegram"),
    ],
)
def test_a_platforms_library_is_imported_in_its_front_end_alone(library: str, place: str) -> None:
    assert all(source.startswith(place) for source in _importers_of(library))


def test_pictures_are_drawn_in_one_place() -> None:
    assert _importers_of("matplotlib") == {"services/experiments/figures.py"}


def test_patterns_of_people_are_tried_in_one_place() -> None:
    assert _importers_of("regex") == {"services/watching/log_patterns.py"}


@every_source
def test_a_file_says_what_it_is_for(source: str) -> None:
    text = _text(source)
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@every_source
def test_a_file_can_be_read_in_one_sitting(source: str) -> None:
    assert len(_text(source).splitlines()) <= _LONGEST_FILE


@every_source
def test_names_that_say_nothing_are_not_used(source: str) -> None:
    assert Path(source).stem not in {"util", "utils", "helpers", "common", "misc"}
