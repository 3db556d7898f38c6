"""Edits made elsewhere, between and during the bot's commands, are kept."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, get_buttons, to_plain_text


@pytest.fixture
async def web_ui(sandbox: Sandbox) -> AsyncIterator[Client]:
    """A second client of the server, like the web UI or a colleague's script."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Client(sandbox, session, sandbox.bob)


@pytest.fixture
async def draft(program: RunningProgram, sandbox: Sandbox) -> Document:
    """A clone of the baseline, the current experiment of the program's person."""
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    reply = await program.send("/clone baseline two GPUs")
    return sandbox.state.tasks[reply.experiment_id]


async def set_in_web_ui(web_ui: Client, draft: Document, **values: str) -> None:
    await web_ui.call_for_data(
        "tasks.edit_hyper_params",
        task=draft["id"],
        hyperparams=[{"section": "Args", "name": name, "value": value} for name, value in values.items()],
    )


def get_values(draft: Document) -> dict[str, str]:
    return {name: item["value"] for name, item in draft["hyperparams"]["Args"].items()}


async def wait_for_request(sandbox: Sandbox, endpoint: str) -> None:
    """Wait until a request to the endpoint has arrived."""
    async with asyncio.timeout(10):
        while not sandbox.requests.find_by_endpoint(endpoint):  # noqa: ASYNC110  # the sandbox has no event for it
            await asyncio.sleep(0.005)


async def test_parameters_set_in_the_web_ui_between_two_commands_are_kept(
    program: RunningProgram, web_ui: Client, draft: Document
) -> None:
    await program.ask("/set args.gpus=1,2")
    await set_in_web_ui(web_ui, draft, lr="0.7", momentum="0.9")
    await program.ask("/set args.epochs=5")
    assert get_values(draft) == {
        "gpus": "1,2",
        "lr": "0.7",
        "epochs": "5",
        "batch_size": "32",
        "backbone": "resnet18",
        "momentum": "0.9",
    }


async def test_a_parameter_set_in_the_web_ui_during_our_write_is_kept(
    program: RunningProgram, web_ui: Client, draft: Document, sandbox: Sandbox
) -> None:
    sandbox.requests.clear()
    sandbox.faults.delay("tasks.edit_hyper_params", 0.8, times=1)
    setting = asyncio.create_task(program.ask("/set args.epochs=5"))
    await wait_for_request(sandbox, "tasks.edit_hyper_params")
    await set_in_web_ui(web_ui, draft, lr="0.7", momentum="0.9")
    assert get_values(draft)["epochs"] == "3", "the other edit must come before ours is written"
    await setting
    assert (get_values(draft)["epochs"], get_values(draft)["lr"], get_values(draft)["momentum"]) == (
        "5",
        "0.7",
        "0.9",
    )


async def test_removing_a_parameter_keeps_the_others(
    program: RunningProgram, web_ui: Client, draft: Document
) -> None:
    await set_in_web_ui(web_ui, draft, momentum="0.9")
    await program.ask("/unset args.backbone")
    assert set(get_values(draft)) == {"gpus", "lr", "epochs", "batch_size", "momentum"}


async def test_a_new_value_keeps_type_and_description(program: RunningProgram, draft: Document) -> None:
    before = dict(draft["hyperparams"]["Args"]["gpus"])
    await program.ask("/set ARGS.GPUS 1,2")
    assert draft["hyperparams"]["Args"]["gpus"] == {**before, "value": "1,2"}
    assert (before["type"], before["description"]) == ("str", "GPUs to train on, comma separated")


async def test_a_draft_enqueued_during_our_edit_is_refused(
    program: RunningProgram, web_ui: Client, draft: Document, sandbox: Sandbox
) -> None:
    sandbox.requests.clear()
    sandbox.faults.delay("tasks.edit_hyper_params", 0.8, times=1)
    setting = asyncio.create_task(program.send("/set args.epochs=5"))
    await wait_for_request(sandbox, "tasks.edit_hyper_params")
    await web_ui.call_for_data("tasks.enqueue", task=draft["id"])
    reply = await setting
    assert "is Pending, and only a Draft can be changed" in to_plain_text(reply)
    assert get_values(draft)["epochs"] == "3"


async def test_an_image_set_in_the_web_ui_is_kept_when_we_set_arguments(
    program: RunningProgram, web_ui: Client, draft: Document
) -> None:
    await program.ask("/container image=old:1")
    await web_ui.call_for_data(
        "tasks.edit", task=draft["id"], container={"image": "new:2", "arguments": "--ipc=host"}
    )
    await program.ask('/container args="-v /data:/data"')
    assert draft["container"]["image"] == "new:2"
    assert draft["container"]["arguments"] == "-v /data:/data"


async def test_unknown_container_keys_are_kept(program: RunningProgram, web_ui: Client, draft: Document) -> None:
    await web_ui.call_for_data(
        "tasks.edit", task=draft["id"], container={"image": "a:1", "arguments": "-v /a:/a", "entrypoint": "/bin/x"}
    )
    await program.ask('/container setup="apt-get update"')
    expected = {"image": "a:1", "arguments": "-v /a:/a", "entrypoint": "/bin/x"}
    assert draft["container"] == {**expected, "setup_shell_script": "apt-get update"}
    await program.ask("/undo")
    assert draft["container"] == {**expected, "setup_shell_script": ""}


async def test_setting_the_branch_keeps_the_scripts_changes_and_packages(
    program: RunningProgram, draft: Document
) -> None:
    before = dict(draft["script"])
    await program.ask("/script branch=main entry=other.py")
    assert draft["script"] == {**before, "branch": "main", "entry_point": "other.py"}
    assert "Task.init" in before["diff"]
    assert before["requirements"] == {"pip": ""}
    await program.ask("/undo")
    assert draft["script"] == before


async def test_a_new_branch_clears_the_commit(program: RunningProgram, draft: Document) -> None:
    await program.ask("/script commit=1f0c2ab")
    await program.ask("/script branch=main")
    assert (draft["script"]["branch"], draft["script"]["version_num"]) == ("main", "")
    await program.ask("/undo")
    assert (draft["script"]["branch"], draft["script"]["version_num"]) == ("", "1f0c2ab")


async def test_tags_added_in_the_web_ui_are_kept(program: RunningProgram, web_ui: Client, draft: Document) -> None:
    await program.ask("/tag fast")
    await web_ui.call_for_data("tasks.update", task=draft["id"], tags=["reference", "fast", "theirs"])
    await program.ask("/tag paper -reference")
    assert draft["tags"] == ["fast", "theirs", "paper"]


@pytest.mark.parametrize(
    ("ours", "endpoint", "theirs"),
    [
        (
            "/set args.lr=0.5",
            "tasks.edit_hyper_params",
            {"hyperparams": [{"section": "Args", "name": "lr", "value": "7"}]},
        ),
        (
            "/unset args.lr",
            "tasks.edit_hyper_params",
            {"hyperparams": [{"section": "Args", "name": "lr", "value": "7"}]},
        ),
        ("/container image=a:1", "tasks.edit", {"container": {"image": "b:2"}}),
        ("/script branch=a", "tasks.edit", {"script": {"branch": "b"}}),
        ("/name ours", "tasks.update", {"name": "theirs"}),
        ("/tag ours", "tasks.update", {"tags": ["theirs"]}),
    ],
)
async def test_undo_is_refused_if_somebody_else_changed_the_value(  # three fixtures, three columns
    program: RunningProgram, web_ui: Client, draft: Document, ours: str, endpoint: str, theirs: dict[str, Any]
) -> None:
    await program.ask(ours)
    await web_ui.call_for_data(endpoint, task=draft["id"], **theirs)
    before = {name: value for name, value in draft.items() if not name.startswith("last_")}
    assert await program.send_for_error_code("/undo") == "edit_conflict"
    assert {name: value for name, value in draft.items() if not name.startswith("last_")} == before


async def test_undo_reverts_one_edit_after_the_other(program: RunningProgram, draft: Document) -> None:
    original = {name: dict(item) for name, item in draft["hyperparams"]["Args"].items()}
    await program.ask("/set args.lr=0.5 args.epochs=9")
    await program.ask("/set args.note=new --new")
    await program.ask("/unset args.gpus")
    await program.ask("/name other name")
    await program.ask("/tag fast")
    for _ in range(5):
        await program.ask("/undo")
    assert draft["hyperparams"]["Args"] == original
    assert (draft["name"], draft["tags"]) == ("two GPUs", ["reference"])
    assert await program.send_for_error_code("/undo") == "nothing_to_undo"


async def test_undo_of_a_parameter_keeps_values_set_in_the_web_ui(
    program: RunningProgram, web_ui: Client, draft: Document
) -> None:
    await program.ask("/set args.epochs=9")
    await set_in_web_ui(web_ui, draft, lr="0.7")
    await program.ask("/undo")
    assert (get_values(draft)["epochs"], get_values(draft)["lr"]) == ("3", "0.7")


async def test_an_edit_succeeds_if_only_the_comparison_fails(
    program: RunningProgram, sandbox: Sandbox, draft: Document
) -> None:
    """The parent is read during the write; if that fails, the reply must still report the edit."""
    draft_from_web_ui = sandbox.state.add_task(
        "by hand", user=sandbox.alice.id, parent=draft["parent"], hyperparams=draft["hyperparams"]
    )
    await program.ask(f"/use {draft_from_web_ui['id']}")
    sandbox.requests.clear()
    sandbox.faults.delay("tasks.get_all_ex", 0.0, times=1)  # the draft itself
    sandbox.faults.answer("tasks.get_all_ex", status=500, body="broken")  # its parent, and the retry
    reply = await program.send("/set args.epochs=9")
    sandbox.faults.clear()
    assert "Changed “by hand”" in to_plain_text(reply)
    assert get_values(draft_from_web_ui)["epochs"] == "9"
    await program.ask(get_buttons(reply)["Undo"])
    assert get_values(draft_from_web_ui)["epochs"] == "3"
