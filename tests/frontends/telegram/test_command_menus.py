"""The command menus that Telegram shows when somebody types a slash: by role, chat and language."""

import asyncio
from datetime import timedelta

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.bot.frontends.telegram.command_menus import build_menu
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.menu_translations import TRANSLATED_SUMMARIES
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.errors import DatabaseUnusableError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Reply
from tests.support.polling import wait_until
from tests.support.telegram import Fault, Person, TelegramServer

PUBLIC = {"default", "all_private_chats", "all_group_chats"}


def build_registry_with_admin_command() -> Registry:
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


def list_menu_names(telegram: TelegramServer, scope: str, language: str = "") -> list[str]:
    return [entry["command"] for entry in telegram.state.commands[scope, language]]


async def test_the_default_menu_has_member_commands_by_language(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd
) -> None:
    unstarted_front_end._command_menus._registry = build_registry_with_admin_command()
    await unstarted_front_end.start()
    await telegram.wait_until(lambda: len(telegram.state.commands) == 6)
    await unstarted_front_end.stop()

    assert set(telegram.state.commands) == {(scope, language) for scope in PUBLIC for language in ("", "ru")}
    assert all(
        list_menu_names(telegram, scope, language) == ["find"] for scope, language in telegram.state.commands
    )
    assert telegram.state.commands["default", ""][0]["description"] == "Find experiments."
    assert telegram.state.commands["default", "ru"][0]["description"] == TRANSLATED_SUMMARIES["ru"]["find"]


async def test_an_admin_gets_a_menu_in_the_private_chat(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, admin_ids: list[str]
) -> None:
    admin_ids.append(str(anna.id))
    unstarted_front_end._command_menus._registry = build_registry_with_admin_command()
    await unstarted_front_end.start()
    await telegram.wait_until(lambda: len(telegram.state.commands) == 8)
    await unstarted_front_end.stop()

    assert (
        list_menu_names(telegram, str(anna.id))
        == list_menu_names(telegram, str(anna.id), "ru")
        == ["find", "queue_delete"]
    )


async def test_an_admin_gets_a_menu_with_their_first_message(
    telegram: TelegramServer, telegram_front_end: TelegramFrontEnd, anna: Person, admin_ids: list[str]
) -> None:
    late = telegram.add_person("Late", has_opened_chat=False)
    admin_ids.extend([str(late.id), str(anna.id)])
    await telegram_front_end._command_menus.publish()
    assert (str(late.id), "") not in telegram.state.commands
    assert (str(anna.id), "ru") in telegram.state.commands

    await late.send("/start")
    await telegram.wait_until(lambda: (str(late.id), "ru") in telegram.state.commands)
    call_count = len(telegram.list_calls("setMyCommands"))
    await late.send("/find")
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages and len(late.chat.bot_messages) == 2)

    assert len(telegram.list_calls("setMyCommands")) == call_count


def test_a_menu_stays_within_limits() -> None:
    family = CommandFamily("Many")

    async def nothing(context: object) -> Reply:
        raise NotImplementedError

    nothing.__doc__ = "d" * 300
    for number in range(120):
        family.command(f"long name {number}", examples=())(nothing)
    family.command("x" * 33, examples=())(nothing)

    menu = build_menu(Registry([family]), Role.MEMBER, {"long name 1": "л" * 300, "long name 2": ""})

    assert len(menu) == 100
    assert menu[0].command == "long_name_0"
    assert [len(entry.description) for entry in menu[:3]] == [256, 256, 1]


async def test_telegram_accepts_the_menus_of_all_commands(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, admin_ids: list[str]
) -> None:
    admin_ids.append(str(anna.id))
    unstarted_front_end._command_menus._registry = build_registry()
    await unstarted_front_end.start()
    await telegram.wait_until(lambda: len(telegram.state.commands) == 8)
    await unstarted_front_end.stop()

    shown = sum(not command.terminal_only for command in build_registry())
    assert len(list_menu_names(telegram, str(anna.id), "ru")) == shown


async def test_a_refused_menu_is_logged(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.add_fault("setMyCommands", Fault.broken(500))
    await unstarted_front_end.start()
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    await wait_until(lambda: "Can't publish the command menu" in caplog.text)
    await unstarted_front_end.stop()


async def test_a_failed_admin_lookup_is_logged(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> list[str]:
        raise DatabaseUnusableError(url="sqlite://", reason="locked")

    unstarted_front_end._command_menus._list_admin_ids = fail
    await unstarted_front_end.start()
    await anna.send("/find")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    await wait_until(lambda: caplog.text.count("Can't publish the command menu") == 2)
    await unstarted_front_end.stop()


async def test_a_menu_that_failed_is_published_later(
    telegram: TelegramServer,
    unstarted_front_end: TelegramFrontEnd,
    anna: Person,
    admin_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database may be locked, or Telegram overloaded, at the moment of the start."""
    monkeypatch.setattr("clearml_chatops.bot.frontends.telegram.front_end._FIRST_MENU_DELAY", timedelta(0))
    admin_ids.append(str(anna.id))
    failures_left = 3

    async def list_admin_ids() -> list[str]:
        nonlocal failures_left
        failures_left -= 1
        if failures_left >= 0:
            raise DatabaseUnusableError(url="sqlite://", reason="locked")
        return admin_ids

    unstarted_front_end._command_menus._list_admin_ids = list_admin_ids
    telegram.add_fault("setMyCommands", Fault.broken(500))
    await unstarted_front_end.start()
    await telegram.wait_until(lambda: (str(anna.id), "ru") in telegram.state.commands)
    await unstarted_front_end.stop()


async def test_a_stop_does_not_wait_for_the_next_attempt_to_publish(
    telegram: TelegramServer, unstarted_front_end: TelegramFrontEnd, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.add_fault("setMyCommands", Fault.broken(500))
    await unstarted_front_end.start()
    await wait_until(lambda: "Can't publish the command menu" in caplog.text)
    async with asyncio.timeout(1.5):
        await unstarted_front_end.stop()


async def test_somebody_whose_first_command_makes_them_an_admin_gets_the_menu_with_it(
    telegram: TelegramServer,
    telegram_front_end: TelegramFrontEnd,
    anna: Person,
    admin_ids: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A person in the settings is known after the first command if ClearML was down at the start."""

    async def handle(_message: IncomingMessage) -> Reply:
        admin_ids.append(str(anna.id))
        return Reply.of("Hello")

    monkeypatch.setattr(telegram_front_end._update_handler, "_handle", handle)
    await anna.send("/find")
    await telegram.wait_until(lambda: (str(anna.id), "ru") in telegram.state.commands)
