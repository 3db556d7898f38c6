"""The card of an experiment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.cards import build_card_with_intro, build_experiment_card
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.models.experiments import (
    Container,
    Experiment,
    Metric,
    Parameter,
    Script,
    Status,
)
from clearml_chatops.models.queues import QueuePosition, WaitEstimate
from clearml_chatops.models.replies import Buttons, Fields, Link, Reply, Text, Tone
from tests.support.program import get_buttons

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_ID = "4f2a" + "0" * 28
_DRAFT = Experiment(_ID, "baseline", Status.DRAFT, _NOW - timedelta(minutes=5))
_RUNNING = replace(
    _DRAFT,
    status=Status.RUNNING,
    user_name="alice",
    project_name="vision",
    tags=("urgent", "paper"),
    parameters=(Parameter("Args", "lr", "0.1"),),
    container=Container("python:3.12", "-v /data:/data", "pip install x"),
    script=Script("git@host:repo.git", "main", "1f0c2ab9977", "train.py"),
    worker_id="lab:alice_queue:gpu0",
    started=_NOW - timedelta(minutes=3),
    last_iteration=70,
    metrics=tuple(Metric("loss", f"v{number}", 0.123456789) for number in range(6)),
)

_FINISHED_BUTTONS = {
    "Clone": f"/clone {_ID}",
    "Show log": f"/log {_ID}",
    "Plot": f"/plot {_ID}",
    "Show parameters": f"/params id={_ID}",
}


def _build_card(experiment: Experiment) -> Reply:
    return build_experiment_card(experiment, now=_NOW, web_link="http://web/x")


def _get_fields(reply: Reply) -> dict[str, str]:
    (fields,) = (block for block in reply.blocks if isinstance(block, Fields))
    return dict(fields.items)


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        (
            Status.DRAFT,
            {
                "Edit parameters…": f"/set {_ID}",
                "Edit container…": f"/container {_ID}",
                "Enqueue": f"/enqueue {_ID}",
                "Show diff": f"/diff id={_ID}",
                "Clone": f"/clone {_ID}",
            },
        ),
        (Status.PENDING, {"Dequeue": f"/dequeue {_ID}", "Show queue": "/queue", "Clone": f"/clone {_ID}"}),
        (
            Status.RUNNING,
            {
                "Show log": f"/log {_ID}",
                "Plot": f"/plot {_ID}",
                "Abort": f"/abort {_ID}",
                "Watch": f"/watch {_ID}",
            },
        ),
        (Status.FAILED, {**_FINISHED_BUTTONS, "Retry": f"/retry {_ID}"}),
        (Status.ABORTED, {**_FINISHED_BUTTONS, "Retry": f"/retry {_ID}"}),
        (Status.COMPLETED, _FINISHED_BUTTONS),
        (Status.PUBLISHED, _FINISHED_BUTTONS),
        (Status.UNKNOWN, _FINISHED_BUTTONS),
    ],
)
def test_card_buttons_depend_on_status(status: Status, buttons: dict[str, str]) -> None:
    reply = _build_card(replace(_DRAFT, status=status))
    assert get_buttons(reply) == buttons
    assert reply.experiment_id == _ID


@pytest.mark.parametrize("status", list(Status))
def test_card_buttons_bind_to_commands(status: Status) -> None:
    for line in get_buttons(_build_card(replace(_DRAFT, status=status))).values():
        words = split_words(line)
        command, used = build_registry().find([word.text for word in words], terminal=False)
        bind(command, words[used:])


@pytest.mark.parametrize(
    ("status", "tone"),
    [
        (Status.DRAFT, Tone.PLAIN),
        (Status.COMPLETED, Tone.SUCCESS),
        (Status.FAILED, Tone.FAILURE),
        (Status.ABORTED, Tone.WARNING),
    ],
)
def test_card_shows_status_word_and_tone(status: Status, tone: Tone) -> None:
    assert _build_card(replace(_DRAFT, status=status)).blocks[:2] == (
        Text("baseline", Tone.HEADING),
        Text(status.label, tone),
    )


def test_card_omits_empty_fields() -> None:
    assert _get_fields(_build_card(_DRAFT)) == {
        "id": _ID[:8],
        "changed": "5 minutes ago",
    }
    assert _get_fields(_build_card(_RUNNING)) == {
        "id": _ID[:8],
        "project": "vision",
        "owner": "alice",
        "changed": "5 minutes ago",
        "tags": "urgent, paper",
        "worker": "lab:alice_queue:gpu0",
        "running time": "3 min",
        "iteration": "70",
        **{f"loss/v{number}": "0.123457" for number in range(4)},
        "image": "python:3.12",
        "container arguments": "-v /data:/data",
        "setup script": "pip install x",
        "code": "git@host:repo.git main 1f0c2ab9 train.py",
        "parameters": "1 (see /params)",
    }


def test_card_shows_reason_only_after_failure() -> None:
    failed = replace(_DRAFT, status=Status.FAILED, status_reason="worker lost")
    assert _get_fields(_build_card(failed))["reason"] == "worker lost"
    assert "reason" not in _get_fields(_build_card(replace(failed, status=Status.DRAFT)))


def test_retried_pending_card_shows_no_worker_or_running_time() -> None:
    fields = _get_fields(_build_card(replace(_RUNNING, status=Status.PENDING)))
    assert fields.keys().isdisjoint({"worker", "running time"})


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (QueuePosition("alice_queue", 2, 5), "2 of 5 in alice_queue"),
        (QueuePosition("alice_queue"), "alice_queue"),
        (
            QueuePosition("alice_queue", 2, 5, WaitEstimate((timedelta(minutes=20), timedelta(minutes=50)))),
            "2 of 5 in alice_queue, starts in about 20–50 min",
        ),
        (QueuePosition("alice_queue", 2, 5, WaitEstimate()), "2 of 5 in alice_queue, wait unknown"),
        (None, None),
    ],
)
def test_only_pending_card_shows_queue_position(position: QueuePosition | None, expected: str | None) -> None:
    pending = replace(_DRAFT, status=Status.PENDING)
    for experiment, shown in ((pending, expected), (_DRAFT, None)):
        card = build_experiment_card(experiment, now=_NOW, web_link="", position=position)
        assert _get_fields(card).get("queue") == shown


def test_card_can_have_intro() -> None:
    introduced = build_card_with_intro(Text("Cloned.", Tone.SUCCESS), None, card=_build_card(_DRAFT))
    assert introduced.blocks == (Text("Cloned.", Tone.SUCCESS), *_build_card(_DRAFT).blocks)
    assert (introduced.is_card, introduced.experiment_id) == (True, _ID)


def test_card_links_to_clearml_unless_its_address_is_unknown() -> None:
    (buttons,) = (block for block in _build_card(_DRAFT).blocks if isinstance(block, Buttons))
    assert buttons.links == (Link("Open in ClearML", "http://web/x"),)
    (buttons,) = (
        block
        for block in build_experiment_card(_DRAFT, now=_NOW, web_link="").blocks
        if isinstance(block, Buttons)
    )
    assert buttons.links == ()
