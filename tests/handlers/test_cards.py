"""The card of an experiment and the message that tells an event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.cards import experiment_card, introduced_card
from clearml_chatops.handlers.lines import split_words
from clearml_chatops.models.experiments import (
    Container,
    Experiment,
    Metric,
    Parameter,
    Script,
    Status,
)
from clearml_chatops.models.queues import PlaceInQueue, WaitEstimate
from clearml_chatops.models.replies import Fields, Reply, Text, Tone
from tests.support.program import buttons

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_ID = "4f2a" + "0" * 28
_PLAIN = Experiment(_ID, "baseline", Status.DRAFT, _NOW - timedelta(minutes=5))
_FULL = replace(
    _PLAIN,
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

_OVER = {
    "Clone": f"/clone {_ID}",
    "Log": f"/log {_ID}",
    "Plot": f"/plot {_ID}",
    "Parameters": f"/params id={_ID}",
}


def _card(experiment: Experiment) -> Reply:
    return experiment_card(experiment, now=_NOW, web_link="http://web/x")


def _fields(reply: Reply) -> dict[str, str]:
    (fields,) = (block for block in reply.blocks if isinstance(block, Fields))
    return dict(fields.items)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (
            Status.DRAFT,
            {
                "Set…": f"/set {_ID}",
                "Container…": f"/container {_ID}",
                "Enqueue": f"/enqueue {_ID}",
                "Diff": f"/diff id={_ID}",
                "Clone": f"/clone {_ID}",
            },
        ),
        (Status.PENDING, {"Dequeue": f"/dequeue {_ID}", "Queue": "/queue", "Clone": f"/clone {_ID}"}),
        (
            Status.RUNNING,
            {
                "Log": f"/log {_ID}",
                "Plot": f"/plot {_ID}",
                "Abort": f"/abort {_ID}",
                "Watch": f"/watch {_ID}",
            },
        ),
        (Status.FAILED, {**_OVER, "Retry": f"/retry {_ID}"}),
        (Status.ABORTED, {**_OVER, "Retry": f"/retry {_ID}"}),
        (Status.COMPLETED, _OVER),
        (Status.PUBLISHED, _OVER),
        (Status.UNKNOWN, _OVER),
    ],
)
def test_a_card_offers_what_its_status_allows(status: Status, shown: dict[str, str]) -> None:
    reply = _card(replace(_PLAIN, status=status))
    assert buttons(reply) == shown
    assert reply.experiment_id == _ID


@pytest.mark.parametrize("status", list(Status))
def test_every_button_of_a_card_is_a_command_line_that_binds(status: Status) -> None:
    for line in buttons(_card(replace(_PLAIN, status=status))).values():
        words = split_words(line)
        command, used = all_commands().find([word.text for word in words], terminal=False)
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
def test_a_card_says_the_status_in_the_web_uis_word_and_its_tone(status: Status, tone: Tone) -> None:
    assert _card(replace(_PLAIN, status=status)).blocks[:2] == (
        Text("baseline", Tone.HEADING),
        Text(status.word, tone),
    )


def test_a_card_shows_what_there_is_and_leaves_out_what_is_not() -> None:
    assert _fields(_card(_PLAIN)) == {"id": _ID, "changed": "5 min ago", "web": "http://web/x"}
    assert _fields(_card(_FULL)) == {
        "id": _ID,
        "project": "vision",
        "owner": "alice",
        "changed": "5 min ago",
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
        "web": "http://web/x",
    }


def test_a_card_gives_the_reason_of_a_failure_and_of_nothing_else() -> None:
    failed = replace(_PLAIN, status=Status.FAILED, status_reason="worker lost")
    assert _fields(_card(failed))["reason"] == "worker lost"
    assert "reason" not in _fields(_card(replace(failed, status=Status.DRAFT)))


def test_a_retried_run_that_waits_shows_no_worker_and_no_running_time_of_the_former_one() -> None:
    fields = _fields(_card(replace(_FULL, status=Status.PENDING)))
    assert fields.keys().isdisjoint({"worker", "running time"})


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (PlaceInQueue("alice_queue", 2, 5), "2 of 5 in alice_queue"),
        (PlaceInQueue("alice_queue"), "in alice_queue"),
        (
            PlaceInQueue("alice_queue", 2, 5, WaitEstimate((timedelta(minutes=20), timedelta(minutes=50)))),
            "2 of 5 in alice_queue, about 20–50 min",
        ),
        (PlaceInQueue("alice_queue", 2, 5, WaitEstimate()), "2 of 5 in alice_queue, wait unknown"),
        (None, None),
    ],
)
def test_a_pending_card_says_where_it_waits_and_no_other_does(
    place: PlaceInQueue | None, shown: str | None
) -> None:
    pending = replace(_PLAIN, status=Status.PENDING)
    for experiment, expected in ((pending, shown), (_PLAIN, None)):
        card = experiment_card(experiment, now=_NOW, web_link="", place=place)
        assert _fields(card).get("waits") == expected


def test_a_card_can_stand_below_what_has_just_happened() -> None:
    introduced = introduced_card(Text("Cloned.", Tone.SUCCESS), None, card=_card(_PLAIN))
    assert introduced.blocks == (Text("Cloned.", Tone.SUCCESS), *_card(_PLAIN).blocks)
    assert (introduced.is_card, introduced.experiment_id) == (True, _ID)
