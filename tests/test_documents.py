"""The documents: every path and link in them leads somewhere."""

import re
from pathlib import Path

import pytest

_PROJECT = Path(__file__).parent.parent
_ROOTS = (_PROJECT, _PROJECT / "src" / "clearml_chatops")
_PAGES = sorted([_PROJECT / "README.md", *(_PROJECT / "docs").glob("*.md")])
_LINK_PATTERN = re.compile(r'\]\(([^)\s]+)\)|<img src="([^"]+)"')
_PYTHON_FILE_PATTERN = re.compile(r"(?<![\w*./=\"-])[\w/-]+\.py\b")
"""Not the files of examples: in quotes, as in a traceback, or after `=`, as in a command."""

every_page = pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)


def _list_anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


@every_page
def test_every_link_leads_to_a_file(page: Path) -> None:
    for match in _LINK_PATTERN.finditer(page.read_text(encoding="utf-8")):
        target = match[1] or match[2]
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.is_file(), target
        assert not anchor or anchor in _list_anchors(file), target


@every_page
def test_every_python_file_exists(page: Path) -> None:
    for name in _PYTHON_FILE_PATTERN.findall(page.read_text(encoding="utf-8")):
        assert any((root / name).is_file() for root in _ROOTS), name


def test_the_readme_is_short() -> None:
    assert len((_PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) < 120
