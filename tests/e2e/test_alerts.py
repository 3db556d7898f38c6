"""Alerts and alarms on Slack and Telegram: each notification comes once, to the chat that asked for it."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.events import add_events
from tests.e2e.conftest import run_bot_in_process
from tests.support.dialogs import Turn
from tests.support.platform_chats import Chat, build_bot_settings, play, wait_for_messages
from tests.support.scalars import report_scalar

_HOSTILE_TEXT = "<!channel> loss is nan & <b>bold</b> *here* `x`"


def add_silent_run(sandbox: Sandbox) -> Document:
    now = truncate_to_milliseconds(sandbox.state.now())
    task = sandbox.state.add_task("in danger", user=sandbox.alice.id, status="in_progress", started=now)
    task["status_changed"] = now
    return task


async def test_a_metric_and_a_log_line_alert_once_each(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    task = add_silent_run(sandbox)
    settings = build_bot_settings(sandbox, tmp_path, CHATOPS_ALERT_SECONDS=0.1, **chat.build_settings(sandbox))
    async with run_bot_in_process(settings):
        await play(
            chat,
            Turn("/alert metric val/acc>0.9 “in danger”", ("val/acc > 0.9",)),
            Turn("/alert log “loss is (nan|inf)” “in danger”", ("loss is (nan|inf)",)),
        )
        before = len(chat.read_messages())
        report_scalar(sandbox, task["id"], "val/acc", [0.5, 0.95])
        add_events(
            sandbox.state, [{"type": "log", "task": task["id"], "msg": f"fine\n{_HOSTILE_TEXT}\nloss is nan"}]
        )
        await wait_for_messages(chat, "val/acc is 0.95", _HOSTILE_TEXT, skip=before)
        await play(chat, Turn("/alert", ("There are no alerts here",)))
    assert len(chat.read_messages()) == before + 3


async def test_a_silent_run_raises_an_alarm_in_the_chat_that_watches_it(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    add_silent_run(sandbox)
    settings = build_bot_settings(
        sandbox,
        tmp_path,
        CHATOPS_ALERT_SECONDS=0.1,
        CHATOPS_SILENCE_ALARM_MINUTES=0.01,
        **chat.build_settings(sandbox),
    )
    async with run_bot_in_process(settings):
        await play(chat, Turn("/watch “in danger”", ("are on here",)))
        await wait_for_messages(chat, "has shown no activity for 0.6 s")
