"""Each language has a line for each command that a chat platform's menu shows."""

import pytest

from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.menu_translations import TRANSLATED_SUMMARIES

_TELEGRAM_DESCRIPTION = 256

every_language = pytest.mark.parametrize("language", sorted(TRANSLATED_SUMMARIES))


def test_there_is_russian() -> None:
    assert "ru" in TRANSLATED_SUMMARIES


@every_language
def test_every_command_of_a_menu_has_its_line_and_there_is_none_without_a_command(language: str) -> None:
    shown = {command.name for command in all_commands() if not command.terminal_only}
    assert set(TRANSLATED_SUMMARIES[language]) == shown


@every_language
def test_each_line_fits_into_a_menu_and_is_a_sentence(language: str) -> None:
    for name, summary in TRANSLATED_SUMMARIES[language].items():
        assert 1 <= len(summary) <= _TELEGRAM_DESCRIPTION, name
        assert "\n" not in summary, name
        assert summary.endswith("."), name
