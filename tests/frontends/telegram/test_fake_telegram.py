"""The fake Telegram server refuses what Telegram refuses, with Telegram's own texts. Other tests rely on that."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter

from tests.support.pictures import build_png
from tests.support.telegram import Fault, Person, TelegramServer
from tests.support.telegram.markup import parse_html
from tests.support.telegram.refusals import RefusalError


@pytest.fixture
async def client(telegram: TelegramServer) -> AsyncIterator[Bot]:
    async with Bot(telegram.token, base_url=f"{telegram.url}/bot") as bot:
        yield bot


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        ("a < b", "Unclosed start tag at byte offset 2"),
        ("<!channel> x", 'Unsupported start tag "!channel" at byte offset 0'),
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("é</b>", "Unexpected end tag at byte offset 2"),
    ],
)
def test_broken_markup_is_refused(source: str, refusal: str) -> None:
    with pytest.raises(RefusalError) as refused:
        parse_html(source)

    assert refused.value.description == f"Bad Request: can't parse entities: {refusal}"


def test_valid_markup_is_parsed() -> None:
    parsed = parse_html('<b>a &lt; b</b> <a href="x">link</a> &amp;amp; &nbsp; & so')

    assert parsed.text == "a < b link &amp; &nbsp; & so"
    assert parsed.tags == ("b", "a")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("x" * 4097, "message is too long"), ("🙂" * 2049, "too long"), ("<b> </b>", "text is empty")],
)
async def test_texts_outside_the_limits_are_refused(client: Bot, anna: Person, text: str, refusal: str) -> None:
    with pytest.raises(BadRequest, match=rf"(?i){refusal}"):
        await client.send_message(anna.id, text, parse_mode="HTML")

    await client.send_message(anna.id, f"<b>{'x' * 4096}</b>", parse_mode="HTML")


async def test_a_caption_over_1024_is_refused(client: Bot, anna: Person) -> None:
    with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
        await client.send_document(anna.id, b"x", filename="x.txt", caption="c" * 1025)


@pytest.mark.parametrize(
    ("label", "data", "refusal"), [("x", "d" * 65, "BUTTON_DATA_INVALID"), (" ", "d", "non-empty")]
)
async def test_buttons_outside_the_limits_are_refused(
    client: Bot, anna: Person, label: str, data: str, refusal: str
) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)]])
    with pytest.raises(BadRequest, match=rf"(?i){refusal}"):
        await client.send_message(anna.id, "x", reply_markup=keyboard)


async def test_edits_without_a_change_and_of_deleted_messages_are_refused(client: Bot, anna: Person) -> None:
    message = await client.send_message(anna.id, "x")

    with pytest.raises(BadRequest, match=r"(?i)message is not modified"):
        await message.edit_text("x")
    await message.delete()
    with pytest.raises(BadRequest, match=r"(?i)message to edit not found"):
        await message.edit_text("y")
    with pytest.raises(BadRequest, match=r"(?i)message to be replied not found"):
        await client.send_message(anna.id, "y", reply_parameters=ReplyParameters(message.id))


async def test_unwritable_chats_are_refused(telegram: TelegramServer, client: Bot, anna: Person) -> None:
    group = telegram.add_group("Lab")
    supergroup = telegram.upgrade_group(group)
    anna.chat.bot_is_blocked = True

    with pytest.raises(Forbidden, match="blocked by the user"):
        await client.send_message(anna.id, "x")
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await client.send_message(987654, "x")
    with pytest.raises(ChatMigrated) as moved:
        await client.send_message(group.id, "x")
    assert moved.value.new_chat_id == supergroup.id
    with pytest.raises(BadRequest, match=r"(?i)message thread not found"):
        await client.send_message(supergroup.id, "x", message_thread_id=7)


@pytest.mark.parametrize(
    ("commands", "refusal"),
    [
        ([BotCommand(f"c{number}", "x") for number in range(101)], "BOT_COMMANDS_TOO_MUCH"),
        ([BotCommand("worker-start", "x")], "BOT_COMMAND_INVALID"),
        ([BotCommand("x", "d" * 257)], "BOT_COMMAND_DESCRIPTION_INVALID"),
    ],
)
async def test_menus_outside_the_limits_are_refused(client: Bot, commands: list[BotCommand], refusal: str) -> None:
    with pytest.raises(BadRequest, match=rf"(?i){refusal}"):
        await client.set_my_commands(commands)


async def test_files_outside_the_limits_are_refused(client: Bot, anna: Person) -> None:
    for content, refusal in (
        (build_png(6000, 4001), "invalid_dimensions"),
        (build_png(2100, 100), "invalid_dimensions"),
        (build_png(1, 1, padding_size=10 * 1024 * 1024), "too big for a photo"),
        (b"GIF89a", "image_process_failed"),
    ):
        with pytest.raises(BadRequest, match=rf"(?i){refusal}"):
            await client.send_photo(anna.id, content)
    with pytest.raises(NetworkError, match="Too Large"):
        await client.send_document(anna.id, bytes(50 * 1024 * 1024 + 1))


async def test_texts_are_edited_as_texts_and_captions_as_captions(client: Bot, anna: Person) -> None:
    text = await client.send_message(anna.id, "x")
    photo = await client.send_photo(anna.id, build_png(3, 2), caption="x")

    with pytest.raises(BadRequest, match=r"(?i)no text in the message"):
        await photo.edit_text("y")
    with pytest.raises(BadRequest, match=r"(?i)no caption in the message"):
        await text.edit_caption("y")
    with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
        await photo.edit_caption("y" * 1025)
    await photo.edit_caption("y")
    await text.edit_media(InputMediaPhoto(build_png(4, 2), caption="z"))
    assert [(answer.text, answer.is_photo) for answer in anna.chat.bot_messages] == [("z", True), ("y", True)]


async def test_a_forced_reply_reaches_mentioned_and_replied_users(
    telegram: TelegramServer, client: Bot, anna: Person
) -> None:
    group = telegram.add_group("Lab")
    sent = await anna.send("hello", chat=group)
    selective = ForceReply(selective=True)

    await client.send_message(group.id, "nobody", reply_markup=selective)
    bot_message = group.bot_messages[-1]
    await client.send_message(
        group.id, "not me", reply_markup=selective, reply_parameters=ReplyParameters(bot_message.id)
    )
    await client.send_message(
        group.id, "the sender", reply_markup=selective, reply_parameters=ReplyParameters(sent.id)
    )
    mention = '<a href="tg://user?id=7">B</a>'
    await client.send_message(group.id, mention, parse_mode="HTML", reply_markup=selective)
    await client.send_message(group.id, "all", reply_markup=ForceReply())

    reached_user_ids = [answer.forced_reply.user_ids for answer in group.bot_messages if answer.forced_reply]
    assert reached_user_ids == [frozenset(), frozenset(), frozenset({anna.id}), frozenset({7}), None]
    with pytest.raises(BadRequest, match=r"(?i)placeholder"):
        await client.send_message(anna.id, "x", reply_markup=ForceReply(input_field_placeholder="p" * 65))


@pytest.mark.parametrize(
    ("url", "secret"),
    [("http://example.org", "s"), ("https://example.org:8080/x", "s"), ("https://example.org", "s !")],
)
async def test_webhooks_outside_the_rules_are_refused(
    telegram: TelegramServer, client: Bot, url: str, secret: str
) -> None:
    with pytest.raises(BadRequest):
        await client.set_webhook(url, secret_token=secret)

    assert telegram.state.webhook_url == ""


async def test_a_menu_of_a_chat_needs_the_chat(telegram: TelegramServer, client: Bot) -> None:
    late = telegram.add_person("Late", has_opened_chat=False)

    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await client.set_my_commands([BotCommand("find", "Find.")], scope=BotCommandScopeChat(late.id))


async def test_a_second_poll_ends_the_first(telegram: TelegramServer, client: Bot, anna: Person) -> None:
    async with Bot(telegram.token, base_url=f"{telegram.url}/bot") as other:
        first = asyncio.create_task(client.get_updates(timeout=20))
        await telegram.wait_until(lambda: telegram.poll_count == 1)
        second = asyncio.create_task(other.get_updates(timeout=20))

        with pytest.raises(Conflict):
            await first
        await anna.send("hello")
        (update,) = await second
        assert update.message is not None
        assert update.message.text == "hello"
        assert await other.get_updates(offset=update.update_id + 1, timeout=0) == ()


async def test_faults_happen_as_planned(telegram: TelegramServer, client: Bot, anna: Person) -> None:
    for fault in (Fault.too_many_requests(retry_after=7, skip=1), Fault.dropped(), Fault.broken(502)):
        telegram.add_fault("sendMessage", fault)

    await client.send_message(anna.id, "1")
    with pytest.raises(RetryAfter):
        await client.send_message(anna.id, "2")
    with pytest.raises(NetworkError):
        await client.send_message(anna.id, "3")
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await client.send_message(anna.id, "4")
    assert anna.chat.texts == ["1"]


async def test_an_unknown_method_is_recorded(telegram: TelegramServer, client: Bot) -> None:
    with pytest.raises(InvalidToken):
        await client.get_sticker_set("x")

    assert telegram.unknown_methods == ["getStickerSet"]
    telegram.unknown_methods.clear()  # the server fails tests with unknown methods at its end


async def test_a_response_can_be_delayed(telegram: TelegramServer, client: Bot, anna: Person) -> None:
    may_answer = asyncio.Event()
    telegram.add_fault("sendMessage", Fault.delayed_until(may_answer))

    send_task = asyncio.create_task(client.send_message(anna.id, "x"))
    await telegram.wait_until(lambda: telegram.list_calls("sendMessage"))
    assert not send_task.done()
    may_answer.set()

    assert (await send_task).text == "x"


async def test_stored_values_can_be_read(telegram: TelegramServer, client: Bot, anna: Person) -> None:
    await client.set_my_commands([BotCommand("find", "Find.")], language_code="ru")
    await client.set_webhook("https://example.org/hook")
    await client.send_photo(anna.id, build_png(3, 2), caption="A plot")

    assert await client.get_my_commands() == ()
    assert await client.get_my_commands(language_code="ru") == (BotCommand("find", "Find."),)
    assert (await client.get_webhook_info()).url == "https://example.org/hook"
    with pytest.raises(Conflict, match="webhook is active"):
        await client.get_updates(timeout=0)
    assert (await client.get_chat(anna.id)).first_name == "Anna"
    assert anna.chat.bot_messages[0].is_photo
