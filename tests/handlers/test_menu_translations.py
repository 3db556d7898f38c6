"""Every language translates every command in the menu of a chat platform."""

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.menu_translations import TRANSLATED_SUMMARIES

_TELEGRAM_DESCRIPTION = 256

every_language = pytest.mark.parametrize("language", sorted(TRANSLATED_SUMMARIES))


def test_russian_translation_exists() -> None:
    assert "ru" in TRANSLATED_SUMMARIES


@every_language
def test_translations_cover_exactly_the_menu_commands(language: str) -> None:
    shown = {command.name for command in build_registry() if not command.terminal_only}
    assert set(TRANSLATED_SUMMARIES[language]) == shown


@every_language
def test_translations_fit_menu_and_are_sentences(language: str) -> None:
    for name, summary in TRANSLATED_SUMMARIES[language].items():
        assert 1 <= len(summary) <= _TELEGRAM_DESCRIPTION, name
        assert "\n" not in summary, name
        assert summary.endswith("."), name
