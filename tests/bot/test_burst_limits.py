"""Bursts on Slack and Telegram: few messages, within the limits of both, and nothing is lost."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from clearml_chatops.bot.frontends.telegram import TelegramFrontEnd
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import EventKind
from tests.frontends.conftest import FakeBot, build_small_registry
from tests.frontends.slack.conftest import connect_front_end
from tests.support.bursts import FINISHED, BurstScenario
from tests.support.polling import wait_until
from tests.support.program import RunningProgram
from tests.support.slack import SlackServer
from tests.support.slack.block_kit import find_buttons
from tests.support.telegram import TelegramServer

_MAX_MESSAGES = 5
_LIMITS = {"slack": 50, "slack channel": 50, "telegram": 60, "telegram group": 20}
"""How many messages and edits a minute a platform takes at least, in a private chat and in a shared one."""
_LOOP_INTERVAL = timedelta(seconds=2)


def _get_id(name: str) -> str:
    """Return an id as long as ClearML's."""
    return f"{int(name.split()[1]):032x}"


@dataclass
class PlatformBurst:
    """A burst on a platform, and when requests changed a message there."""

    scenario: BurstScenario
    server: SlackServer | TelegramServer
    bot: FakeBot
    conversation: Conversation
    changes: list[datetime] = field(default_factory=list)

    async def deliver(self, passed: timedelta) -> None:
        before = self.count_requests()
        await self.scenario.deliver(passed)
        self.changes += [self.scenario.now] * (self.count_requests() - before)

    async def finish(self) -> None:
        for _ in range(int(FINISHED / _LOOP_INTERVAL) + 5):
            await self.deliver(_LOOP_INTERVAL)

    def count_requests(self) -> int:
        if isinstance(self.server, SlackServer):
            methods = ("chat.postMessage", "chat.update", "files.completeUploadExternal")
            return sum(len(self.server.list_calls(method)) for method in methods)
        methods = ("sendMessage", "sendDocument", "editMessageText")
        return sum(len(self.server.list_calls(method)) for method in methods)

    def read(self) -> tuple[list[str], list[str]]:
        """Return the texts of the messages, and the contents of the files."""
        if isinstance(self.server, SlackServer):
            messages = self.server.list_posted_messages(self.conversation.id)
            files = [file.content.decode() for message in messages for file in message.files]
            return [message.visible_text for message in messages], files
        shown = self.server.state.chats[int(self.conversation.id)].messages.values()
        sent = [message for message in shown if message.is_from_bot]
        return [message.text for message in sent], [
            message.file_content.decode() for message in sent if message.file_name
        ]

    def assert_limits(self, limit: int) -> None:
        for number, start in enumerate(self.changes):
            within_minute = [time for time in self.changes[number:] if time < start + timedelta(minutes=1)]
            assert len(within_minute) <= limit

    async def press_retry_buttons(self) -> None:
        """Press each button that retries several experiments."""
        if isinstance(self.server, SlackServer):
            person = self.server.add_person("bob")
            message = self.server.list_posted_messages(self.conversation.id)[3]
            for label in message.button_labels:
                if label.startswith("Retry"):
                    assert all(len(button["value"]) <= 2000 for button in find_buttons(message.blocks))
                    await person.press(label, on=message)
            return
        someone = self.server.add_person("Bob")
        shown = [m for m in self.server.state.chats[int(self.conversation.id)].messages.values() if m.is_from_bot]
        for label in shown[3].buttons:
            if label.startswith("Retry"):
                await someone.press(shown[3], label)


@asynccontextmanager
async def _open_slack(program: RunningProgram, *, is_channel: bool) -> AsyncIterator[PlatformBurst]:
    async with SlackServer() as slack:
        channel = slack.add_channel("lab") if is_channel else slack.add_person("anna").direct_channel
        conversation, bot = Conversation("slack", channel), FakeBot()
        process = program.program.process
        async with connect_front_end(slack, bot, cards=process.cards, actions=process.actions) as front_end:
            scenario = BurstScenario(program, conversation, front_end=front_end, get_id=_get_id)
            yield PlatformBurst(scenario, slack, bot, conversation)


@asynccontextmanager
async def _open_telegram(program: RunningProgram, *, is_group: bool) -> AsyncIterator[PlatformBurst]:
    async def list_admin_ids() -> Sequence[str]:
        return []

    async with TelegramServer() as telegram:
        chat = telegram.add_group("Lab") if is_group else telegram.add_person("Anna").chat
        conversation, bot = Conversation("telegram", str(chat.id)), FakeBot()
        process = program.program.process
        front_end = TelegramFrontEnd(
            handle=bot.handle,
            registry=build_small_registry(),
            actions=process.actions,
            requests=process.requests,
            cards=process.cards,
            conversations=process.conversations,
            list_admin_ids=list_admin_ids,
            token=telegram.token,
            api_url=telegram.url,
        )
        await front_end.start()
        yield PlatformBurst(
            BurstScenario(program, conversation, front_end=front_end, get_id=_get_id), telegram, bot, conversation
        )
        await front_end.stop()


@pytest.fixture
async def burst(request: pytest.FixtureRequest, program: RunningProgram) -> AsyncIterator[PlatformBurst]:
    is_shared = " " in request.param
    if request.param.startswith("slack"):
        async with _open_slack(program, is_channel=is_shared) as opened:
            yield opened
    else:
        async with _open_telegram(program, is_group=is_shared) as opened:
            yield opened


def _find_names(texts: Sequence[str]) -> Counter[str]:
    return Counter(name for text in texts for name in set(re.findall(r"“(run \d+)”", text)))


@pytest.mark.parametrize(
    ("burst", "count"),
    [("slack", 1000), ("slack channel", 60), ("telegram", 60), ("telegram group", 1000)],
    indirect=["burst"],
)
async def test_failures_of_one_person_are_few_messages(
    burst: PlatformBurst, count: int, request: pytest.FixtureRequest
) -> None:
    names = [f"run {number}" for number in range(count)]
    parts = 6
    for part in range(parts):
        await burst.scenario.add(*names[part::parts])
        await burst.deliver(timedelta(seconds=3))
    await burst.finish()
    texts, files = burst.read()
    assert len(texts) <= _MAX_MESSAGES
    assert texts[3].lstrip("\n").startswith(f"{count - 3:,} updates: {count - 3:,} Failed")
    assert f"{count - 3:,} lost their worker" in texts[3]
    [file] = files
    assert _find_names([*texts[:3], file]) == Counter(names)
    burst.assert_limits(_LIMITS[request.node.callspec.params["burst"]])
    await burst.press_retry_buttons()
    await wait_until(lambda: sum(len(line.split()) - 1 for line in burst.bot.lines) == count - 3)
    retried = {word for line in burst.bot.lines for word in line.split()}
    assert retried == {"/retry", *map(_get_id, set(names) - set(_find_names(texts[:3])))}


@pytest.mark.parametrize("burst", ["slack channel", "telegram group"], indirect=True)
async def test_changes_of_a_watched_project_are_few_messages(
    burst: PlatformBurst, request: pytest.FixtureRequest
) -> None:
    """250 experiments start and end within two minutes."""
    names = [f"run {number}" for number in range(250)]
    steps = 50
    for step in range(steps):
        await burst.scenario.add(*names[step::steps], kind=EventKind.STARTED)
        if step >= 10:
            await burst.scenario.add(*names[step - 10 :: steps], kind=EventKind.COMPLETED)
        await burst.deliver(_LOOP_INTERVAL)
    for step in range(steps - 10, steps):
        await burst.scenario.add(*names[step::steps], kind=EventKind.FAILED)
    await burst.finish()
    texts, files = burst.read()
    assert len(texts) <= _MAX_MESSAGES
    assert "50 Failed, 200 Completed" in texts[3]
    assert set(_find_names(files)) == set(names)
    burst.assert_limits(_LIMITS[request.node.callspec.params["burst"]])
