"""Alerts and alarms on Slack and Telegram: set there, told there, once."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document, stored
from clearml_chatops.sandbox.events import add_events
from tests.e2e.conftest import running
from tests.support.chats import Chat, bot_settings, hear, play
from tests.support.dialogs import Turn
from tests.support.scalars import report

_HOSTILE = "<!channel> loss is nan & <b>bold</b> *here* `x`"


def add_run(sandbox: Sandbox) -> Document:
    now = stored(sandbox.state.now())
    task = sandbox.state.add_task("in danger", user=sandbox.alice.id, status="in_progress", started=now)
    task["status_changed"] = now
    return task


async def test_a_value_and_a_line_are_told_once_each(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    task = add_run(sandbox)
    settings = bot_settings(sandbox, tmp_path, CHATOPS_ALERT_SECONDS=0.1, **chat.settings(sandbox))
    async with running(settings):
        await play(
            chat,
            Turn("/alert metric val/acc>0.9 “in danger”", ("val/acc > 0.9",)),
            Turn("/alert log “loss is (nan|inf)” “in danger”", ("loss is (nan|inf)",)),
        )
        before = len(chat.heard())
        report(sandbox, task["id"], "val/acc", [0.5, 0.95])
        add_events(sandbox.state, [{"type": "log", "task": task["id"], "msg": f"fine\n{_HOSTILE}\nloss is nan"}])
        await hear(chat, "val/acc is 0.95", _HOSTILE, after=before)
        await play(chat, Turn("/alert", ("There are no alerts here",)))
    assert len(chat.heard()) == before + 3


async def test_a_silent_run_is_told_of_where_it_is_watched(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    add_run(sandbox)
    settings = bot_settings(
        sandbox,
        tmp_path,
        CHATOPS_ALERT_SECONDS=0.1,
        CHATOPS_SILENCE_ALARM_MINUTES=0.01,
        **chat.settings(sandbox),
    )
    async with running(settings):
        await play(chat, Turn("/watch “in danger”", ("is watched here",)))
        await hear(chat, "has given no sign of life for 0.6 s")
