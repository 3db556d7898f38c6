"""The conversation in the pictures, with the real bot: clone and change on Slack, enqueue on Telegram."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.events import SCALAR_EVENT, add_events
from clearml_chatops.sandbox.state import Worker
from tests.support.dialogs import Turn
from tests.support.platform_chats import (
    SlackChat,
    TelegramChat,
    build_bot_settings,
    build_settings_for_both,
    open_chat,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until

_NAME = "on two GPUs"
_WORKER = "lab:alice_queue:gpuall"
_WEB_HOST = "https://clearml.example.org"
_RUNNING_TIME = timedelta(minutes=47)
_SCALARS = {("loss", "train"): 0.1834, ("loss", "validation"): 0.2417, ("accuracy", "validation"): 0.9127}
_LAST_ITERATION = 59

_SETUP = Turn("queue create", ("alice_queue",))
"""Not in the pictures: people do this once."""
_SLACK_TURNS = {
    "9:41": Turn("clone baseline on two GPUs", (f"Cloned as “{_NAME}”", "Draft")),
    "9:42": Turn("set args.gpus=1,2 args.lr=0.05", ("Changed", "Args/gpus", "1,2")),
}
_TELEGRAM_TURN_AT, _TELEGRAM_TURN = "9:43", Turn("enqueue last", (f"“{_NAME}” is Pending",))
_STARTED_AT = "9:43"
_ENDED_AT = "10:30"


@dataclass(frozen=True)
class PictureMessage:
    """A message as the platform shows it.

    `shown_at` is the time of day beside it: the whole recording takes only seconds. `content` is the message in
    the form of the platform's API; Telegram's has the HTML of the text as `source`.
    """

    is_from_bot: bool
    shown_at: str
    content: Document


@dataclass(frozen=True)
class RecordedConversation:
    """Slack when the clone is changed, and Telegram, where the same person goes on, when its run has ended."""

    slack: list[PictureMessage]
    telegram: list[PictureMessage]


async def record_conversation() -> RecordedConversation:
    async with Sandbox() as sandbox, open_chat("slack") as slack, open_chat("telegram") as telegram:
        assert isinstance(slack, SlackChat)
        assert isinstance(telegram, TelegramChat)
        async with _run_bot(sandbox, build_settings_for_both(slack, telegram, sandbox)):
            await play(slack, _SETUP)
            _add_worker(sandbox)
            recorder = _Recorder(slack)
            for shown_at, turn in _SLACK_TURNS.items():
                await play(slack, turn)
                recorder.mark(shown_at)
            slack_messages = recorder.list_messages()

            recorder = _Recorder(telegram)
            await play(telegram, _TELEGRAM_TURN)
            recorder.mark(_TELEGRAM_TURN_AT)
            await _run_experiment(sandbox, telegram, recorder)
            return RecordedConversation(slack_messages, recorder.list_messages())


class _Recorder:
    """The messages of a chat from now on, with the time at which each is said to have come."""

    def __init__(self, chat: SlackChat | TelegramChat) -> None:
        self._chat = chat
        self._skip = len(self._list_contents())
        self._counts: dict[int, str] = {}

    def mark(self, shown_at: str) -> None:
        """Give this time to all messages that have come since the last mark."""
        self._counts[len(self._list_contents())] = shown_at

    def list_messages(self) -> list[PictureMessage]:
        """Return the messages of both sides, oldest first, as the platform shows them now."""
        return [
            PictureMessage(
                self._is_from_bot(content),
                next(shown_at for count, shown_at in self._counts.items() if number < count),
                content,
            )
            for number, content in enumerate(self._list_contents())
            if number >= self._skip
        ]

    def _list_contents(self) -> list[Document]:
        if isinstance(self._chat, SlackChat):
            messages = self._chat.anna.list_visible_messages(self._chat.anna.direct_channel)
            return [{"user": message.user, "text": message.text, "blocks": message.blocks} for message in messages]
        return [
            {**message.to_json(nested=True), "source": message.source}
            for message in self._chat.anna.chat.messages.values()
        ]

    def _is_from_bot(self, content: Document) -> bool:
        if isinstance(self._chat, SlackChat):
            return bool(content["user"] != self._chat.anna.id)
        return bool(content["from"]["is_bot"])


@asynccontextmanager
async def _run_bot(sandbox: Sandbox, chat_settings: dict[str, Any]) -> AsyncIterator[None]:
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    # A shorter card keeps the picture small.
    baseline.update(tags=[], container={"image": baseline["container"]["image"]})
    stop = asyncio.Event()
    with TemporaryDirectory() as folder:
        settings = build_bot_settings(
            sandbox, Path(folder), CHATOPS_WATCH_SECONDS=0.2, CLEARML_WEB_HOST=_WEB_HOST, **chat_settings
        )
        bot = asyncio.create_task(run_bot(Settings.model_validate(settings), stop_event=stop))
        try:
            yield
        finally:
            stop.set()
            await bot


async def _run_experiment(sandbox: Sandbox, chat: TelegramChat, recorder: _Recorder) -> None:
    """Change the experiment as an agent's reports would, but in seconds: started, metrics, completed."""
    task = next(task for task in sandbox.state.tasks.values() if task["name"] == _NAME)
    for queue in sandbox.state.queues.values():
        queue["entries"].clear()
    now = truncate_to_milliseconds(sandbox.state.now())
    task.update(status="in_progress", started=now - _RUNNING_TIME, status_changed=now, last_worker=_WORKER)
    await wait_for_messages(chat, f"“{_NAME}” started on {_WORKER}.")
    recorder.mark(_STARTED_AT)
    add_events(sandbox.state, _build_scalars(task))
    now = truncate_to_milliseconds(sandbox.state.now())
    task.update(status="completed", completed=task["started"] + _RUNNING_TIME, status_changed=now)
    await wait_for_messages(chat, f"“{_NAME}” completed after 47 min.")
    await wait_until(lambda: any("Completed" in text and "accuracy" in text for text in chat.read_messages()))
    recorder.mark(_ENDED_AT)


def _build_scalars(task: Document) -> list[Document]:
    return [
        {
            "type": SCALAR_EVENT,
            "task": task["id"],
            "metric": metric,
            "variant": variant,
            "iter": _LAST_ITERATION,
            "value": value,
            "timestamp": round(task["started"].timestamp() * 1000),
        }
        for (metric, variant), value in _SCALARS.items()
    ]


def _add_worker(sandbox: Sandbox) -> None:
    """Register a worker with all GPUs on Alice's queue."""
    now = sandbox.state.now()
    queue = sandbox.state.find_queue("alice_queue")
    assert queue is not None
    sandbox.state.workers[_WORKER] = Worker(
        key=_WORKER,
        id=_WORKER,
        user=sandbox.alice.id,
        address="127.0.0.1",
        queues=[queue["id"]],
        tags=[],
        system_tags=[],
        register_time=now,
        register_timeout=600,
        last_activity_time=now,
    )
