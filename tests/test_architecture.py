"""Rules for the source tree: which module may import which, docstrings, file sizes and names."""

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
_MAX_FILE_LINES = 400

every_source = pytest.mark.parametrize("source", [path for path in _SOURCES if "migrations/versions" not in path])


def _read_text(source: str) -> str:
    return (_PACKAGE / source).read_text(encoding="utf-8")


def _list_imports(source: str) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(_read_text(source))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _find_importers(package: str) -> set[str]:
    return {
        source
        for source in _SOURCES
        if any(f"{module}.".startswith(f"{package}.") for module in _list_imports(source))
    }


def test_all_import_contracts_hold() -> None:
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_the_clearml_package_is_imported_in_one_module() -> None:
    # The script of the sandbox's demo experiment stands for a user's own code.
    assert _find_importers("clearml") - {"sandbox/demo/train.py"} == {"services/clearml_gateway/session.py"}


@pytest.mark.parametrize("library", ["sqlalchemy", "alembic"])
def test_the_database_libraries_are_imported_only_in_storage(library: str) -> None:
    importers = _find_importers(library)
    assert importers
    assert all(source.startswith("storage/") for source in importers)


@pytest.mark.parametrize(
    ("library", "folder"),
    [
        ("slack_bolt", "bot/frontends/slack"),
        ("slack_sdk", "bot/frontends/slack"),
        ("telegram", "bot/frontends/telegram"),
    ],
)
def test_a_platform_library_is_imported_only_in_its_front_end(library: str, folder: str) -> None:
    assert all(source.startswith(folder) for source in _find_importers(library))


def test_matplotlib_is_imported_in_one_module() -> None:
    assert _find_importers("matplotlib") == {"services/experiments/figures.py"}


def test_the_regex_library_is_imported_in_one_module() -> None:
    assert _find_importers("regex") == {"services/watching/log_patterns.py"}


@every_source
def test_every_file_has_a_docstring(source: str) -> None:
    text = _read_text(source)
    assert not text.strip() or ast.get_docstring(ast.parse(text))


@every_source
def test_no_file_is_too_long(source: str) -> None:
    assert len(_read_text(source).splitlines()) <= _MAX_FILE_LINES


@every_source
def test_vague_module_names_are_not_used(source: str) -> None:
    assert Path(source).stem not in {"util", "utils", "helpers", "common", "misc"}
