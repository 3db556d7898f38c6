"""The menus that Telegram shows when somebody types a slash: by role, by place, by language."""

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.frontends.telegram.menu import menu_of
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.menu_translations import TRANSLATED_SUMMARIES
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Reply
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.waiting import until

PUBLIC = {"default", "all_private_chats", "all_group_chats"}


def registry_with_an_admins_command() -> Registry:
    family = CommandFamily("Admin")

    @family.command("find", examples=())
    async def find(context: object) -> Reply:
        """Find experiments."""
        raise NotImplementedError

    @family.command("queue delete", role=Role.ADMIN, examples=())
    async def delete(context: object) -> Reply:
        """Delete a queue."""
        raise NotImplementedError

    return Registry([family])


def names_in(telegram: TelegramServer, scope: str, language: str = "") -> list[str]:
    return [entry["command"] for entry in telegram.state.commands[scope, language]]


async def test_everybody_is_shown_the_commands_of_members_in_his_language(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd
) -> None:
    quiet_front_end._menus._registry = registry_with_an_admins_command()
    await quiet_front_end.start()
    await telegram.until(lambda: len(telegram.state.commands) == 6)
    await quiet_front_end.stop()

    assert set(telegram.state.commands) == {(scope, language) for scope in PUBLIC for language in ("", "ru")}
    assert all(names_in(telegram, scope, language) == ["find"] for scope, language in telegram.state.commands)
    assert telegram.state.commands["default", ""][0]["description"] == "Find experiments."
    assert telegram.state.commands["default", "ru"][0]["description"] == TRANSLATED_SUMMARIES["ru"]["find"]


async def test_an_admin_is_shown_his_commands_in_his_private_chat(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, admins: list[str]
) -> None:
    admins.append(str(anna.id))
    quiet_front_end._menus._registry = registry_with_an_admins_command()
    await quiet_front_end.start()
    await telegram.until(lambda: len(telegram.state.commands) == 8)
    await quiet_front_end.stop()

    assert names_in(telegram, str(anna.id)) == names_in(telegram, str(anna.id), "ru") == ["find", "queue_delete"]


async def test_an_admin_without_a_chat_is_passed_over_until_he_writes(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, admins: list[str]
) -> None:
    late = telegram.person("Late", has_opened_chat=False)
    admins.extend([str(late.id), str(anna.id)])
    await telegram_front_end._menus.publish()
    assert (str(late.id), "") not in telegram.state.commands
    assert (str(anna.id), "ru") in telegram.state.commands

    await late.say("/start")
    await telegram.until(lambda: (str(late.id), "ru") in telegram.state.commands)
    given = len(telegram.called("setMyCommands"))
    await late.say("/find")
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers and len(late.chat.answers) == 2)

    assert len(telegram.called("setMyCommands")) == given


def test_a_menu_is_cut_to_what_telegram_takes() -> None:
    family = CommandFamily("Many")

    async def nothing(context: object) -> Reply:
        raise NotImplementedError

    nothing.__doc__ = "d" * 300
    for number in range(120):
        family.command(f"long name {number}", examples=())(nothing)
    family.command("x" * 33, examples=())(nothing)

    menu = menu_of(Registry([family]), Role.MEMBER, {"long name 1": "л" * 300, "long name 2": ""})

    assert len(menu) == 100
    assert menu[0].command == "long_name_0"
    assert [len(entry.description) for entry in menu[:3]] == [256, 256, 1]


async def test_telegram_takes_the_menus_of_all_commands(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, admins: list[str]
) -> None:
    admins.append(str(anna.id))
    quiet_front_end._menus._registry = all_commands()
    await quiet_front_end.start()
    await telegram.until(lambda: len(telegram.state.commands) == 8)
    await quiet_front_end.stop()

    shown = sum(not command.terminal_only for command in all_commands())
    assert len(names_in(telegram, str(anna.id), "ru")) == shown


async def test_a_menu_that_telegram_refuses_ends_nothing(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.misbehave("setMyCommands", Fault.broken(500))
    await quiet_front_end.start()
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    await until(lambda: "menu of commands was not published" in caplog.text)
    await quiet_front_end.stop()


async def test_admins_that_cannot_be_looked_up_end_nothing(
    telegram: TelegramServer, quiet_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> list[str]:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    quiet_front_end._menus._admins = fail
    await quiet_front_end.start()
    await anna.say("/find")
    await telegram.until(lambda: anna.chat.answers)
    await until(lambda: caplog.text.count("menu of commands was not published") == 2)
    await quiet_front_end.stop()
