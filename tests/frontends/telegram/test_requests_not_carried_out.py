"""Updates that were interrupted by a kill, or can't be recorded: a sentence, and no command."""

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.errors import DatabaseBusyError
from clearml_chatops.models.replies import Button, Buttons, Reply
from clearml_chatops.models.requests import RequestState
from tests.frontends.conftest import FakeBot, MemoryRequests
from tests.frontends.telegram.conftest import BOTH_TRANSPORTS
from tests.support.telegram import Person, TelegramServer

pytestmark = BOTH_TRANSPORTS

REFUSALS = (
    ("fixed_state", RequestState.INTERRUPTED, "may or may not be done"),
    ("error", DatabaseBusyError(url="sqlite://", reason="database is locked"), "(database is locked)"),
)


@pytest.fixture
def requests(telegram_front_end: TelegramFrontEnd) -> MemoryRequests:
    requests = telegram_front_end._update_handler._requests
    assert isinstance(requests, MemoryRequests)
    return requests


@pytest.mark.parametrize(("attribute", "value", "sentence"), REFUSALS)
async def test_messages_and_presses_get_the_sentence(
    telegram: TelegramServer,
    requests: MemoryRequests,
    anna: Person,
    bot: FakeBot,
    attribute: str,
    value: object,
    sentence: str,
) -> None:
    bot.replies["/show"] = Reply.of(
        "page 1", Buttons((Button("Abort", "/abort e1"), Button("Next", "/show page=2", in_place=True)))
    )
    await anna.send("/show")
    await telegram.wait_until(lambda: anna.chat.bot_messages)
    page = anna.chat.bot_messages[0]
    setattr(requests, attribute, value)
    await anna.send("/queue")
    await anna.press(page, "Abort")
    await anna.press(page, "Next")
    await telegram.wait_until(lambda: len(anna.chat.bot_messages) == 4)
    assert all(sentence in text for text in anna.chat.texts[1:]), anna.chat.texts
    assert page.text == "page 1"
    assert bot.lines == ["/show"]


async def test_an_update_is_recorded_with_the_bot_that_got_it(
    telegram: TelegramServer, requests: MemoryRequests, anna: Person, bot: FakeBot
) -> None:
    """Another bot numbers its updates in the same way."""
    await anna.send("/find")
    update = telegram.state.updates[-1]
    await telegram.wait_until(lambda: requests.finished)
    bot_id = telegram.token.partition(":")[0]
    assert requests.finished == requests.begun == {("telegram", f"{bot_id}/{update['update_id']}")}


async def test_messages_that_are_not_for_the_bot_are_not_recorded(
    telegram: TelegramServer, requests: MemoryRequests, anna: Person, bot: FakeBot
) -> None:
    group = telegram.add_group("Lab")
    await anna.send("hello everybody", chat=group)
    await anna.send("/find", chat=group)
    await telegram.wait_until(lambda: group.bot_messages)
    assert len(requests.begun) == 1
