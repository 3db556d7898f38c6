"""Options as people type them, on the commands of the program."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import split_words

_REGISTRY = build_registry()


def _bind(line: str) -> dict[str, object]:
    words = split_words(line)
    command, used = _REGISTRY.find([word.text for word in words], terminal=True)
    return bind(command, words[used:])


@pytest.mark.parametrize(
    ("typed", "gpus"),
    [
        ("gpus=0-3", "0,1,2,3"),
        ("gpus=0–3", "0,1,2,3"),
        ("gpus 0", "0"),
        ("gpus 0-2", "0,1,2"),
        ("gpus: 0", "0"),
        ("gpus = 0", "0"),
        ("gpus =0", "0"),
        ("gpus= 0", "0"),
        ("GPUs 0", "0"),
        ("gpu 0", "0"),
        ("gpu=0", "0"),
        ("--gpus 0,1", "0,1"),
        ("--gpu=0", "0"),
        ("—gpus 0", "0"),
        ("0", "0"),
        ("0,1", "0,1"),
        ("0, 1", "0,1"),
        ("0 1", "0,1"),
        ("gpus=0, 1", "0,1"),
        ("gpus 0, 1, 2", "0,1,2"),
        ("gpus=0 1", "0,1"),
        ("gpu0,gpu1", "0,1"),
        ("gpu0-gpu2", "0,1,2"),
        ("GPU-5c1d", "GPU-5c1d"),
        ("0:1", "0:1"),
    ],
)
@pytest.mark.parametrize("command", ["start", "restart", "stop", "drain", "log"])
def test_gpus_are_understood_as_people_type_them(command: str, typed: str, gpus: str) -> None:
    if command == "log" and typed in {"0", "0 1", "gpus=0 1"}:
        return  # a bare number is a number of lines there
    assert _bind(f"/worker {command} {typed}")["gpus"] == gpus


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("/worker start all", {"gpus": "all"}),
        ("/worker start none docker", {"gpus": "none", "docker": True}),
        ("/worker start alice_queue", {"queue": ("alice_queue",)}),
        ("/worker start alice_queue 0,1 docker", {"queue": ("alice_queue",), "gpus": "0,1", "docker": True}),
        ("/worker start 0-1 --queue fast,slow", {"queue": ("fast", "slow"), "gpus": "0,1"}),
        ("/worker start queue fast, slow gpus 0", {"queue": ("fast", "slow"), "gpus": "0"}),
        ("/worker start fast slow", {"queue": ("fast", "slow")}),
        ('/worker start queue = "my queue"', {"queue": ("my queue",)}),
        ("/worker start image nvcr.io/x:1 0", {"image": "nvcr.io/x:1", "gpus": "0"}),
        ("/worker restart image= gpus=0", {"image": "", "gpus": "0"}),
        ('/worker restart image=""', {"image": ""}),
        ("/worker restart alice_queue 0,1", {"worker": "alice_queue", "gpus": "0,1"}),
        ("/worker restart all", {"worker": "all"}),
        ("/worker stop queue alice_queue", {"queue": "alice_queue"}),
        ("/worker stop worker=alice_queue", {"worker": "alice_queue"}),
        ("/worker stop --worker=alice_queue", {"worker": "alice_queue"}),
        ("/worker stop all", {"worker": "all"}),
        ("/worker log 100", {"lines": 100}),
        ("/worker log alice_queue 100", {"worker": "alice_queue", "lines": 100}),
        ("/worker log 100 alice_queue", {"worker": "alice_queue", "lines": 100}),
        ("/worker log lines 5 worker=gpu0", {"worker": "gpu0", "lines": 5}),
        ("/gpus watch 1 for 10m", {"gpu": "1", "for_": timedelta(minutes=10)}),
        ("/queue queue = alice_queue", {"queue": "alice_queue"}),
        ("/enqueue x queue = gpu_queue", {"experiment": ("x",), "queue": "gpu_queue"}),
        ("/enqueue x --queue gpu_queue", {"experiment": ("x",), "queue": "gpu_queue"}),
        ("/enqueue experiment=x", {"experiment": ("x",)}),
        ("/enqueue --find sweep status=draft", {"find": "sweep status=draft"}),
        ("/enqueue --find status = draft queue=fast", {"find": "status = draft", "queue": "fast"}),
        ("/find status= failed", {"status": "failed"}),
        ("/worker restart image= docker", {"image": "", "docker": True}),
        ("/clone x name=foo", {"experiment": "x", "name": "foo"}),
        ("/clone x name=foo and bar", {"experiment": "x", "name": "foo and bar"}),
    ],
)
def test_options_are_understood_as_people_type_them(line: str, arguments: dict[str, object]) -> None:
    assert _bind(line) == arguments


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("/enqueue my queue test", {"experiment": ("my queue test",)}),
        ("/clone x queue 2", {"experiment": "x", "name": "queue 2"}),
        ('/clone x "name=foo"', {"experiment": "x", "name": "name=foo"}),
        ("/find project vision", {"text": "project vision"}),
        ("/worker stop 'gpus'", {"worker": "gpus"}),
    ],
)
def test_text_stays_text(line: str, arguments: dict[str, object]) -> None:
    assert _bind(line) == arguments
