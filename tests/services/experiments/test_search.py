"""Searches with /find: by tag, owner, statuses, age and metric, sorted, without what the web UI hides."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Table
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.events import add_events
from tests.support.program import RunningProgram, get_buttons, run_program, to_plain_text
from tests.support.refusals import assert_refused
from tests.support.servers import API_VERSIONS


@pytest.fixture(params=API_VERSIONS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """A server of each age, with experiments that differ in everything that can be searched for."""
    async with Sandbox(api_version=request.param) as server:
        add_experiments(server)
        yield server


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    async with run_program(sandbox, tmp_path / "data") as running:
        yield running


def add_experiments(sandbox: Sandbox) -> None:
    alice, bob = sandbox.alice.id, sandbox.bob.id
    add(sandbox, "oldest", alice, "completed", 40, tags=["best", "Paper"], acc=0.9, loss=0.2)
    add(sandbox, "older", bob, "failed", 30, tags=["best", "wip"], acc=0.8, loss=0.5)
    add(sandbox, "newer", alice, "stopped", 20, tags=["wip"], acc=0.7, loss=0.3)
    add(sandbox, "newest", bob, "failed", 10, tags=[], acc=0.95)
    add(sandbox, "draft", alice, "created", 1, tags=[])


def add(
    sandbox: Sandbox, name: str, user: str, status: str, hours_ago: int, *, tags: list[str], **metrics: float
) -> Document:
    moment = sandbox.state.now() - timedelta(hours=hours_ago)
    task = sandbox.state.add_task(
        name,
        user=user,
        status=status,
        tags=tags,
        created=moment,
        started=moment,
        completed=moment,
        status_changed=moment,
        last_update=moment,
        last_iteration=hours_ago,
    )
    add_events(
        sandbox.state,
        (
            {
                "type": "training_stats_scalar",
                "task": task["id"],
                "metric": "val",
                "variant": variant,
                "value": value,
                "iter": 1,
            }
            for variant, value in metrics.items()
        ),
    )
    task["last_update"] = moment
    return task


async def find(program: RunningProgram, words: str) -> list[str]:
    """Return the names in the table that a search answers with."""
    reply = await program.send(f"/find {words}")
    tables = [block for block in reply.blocks if isinstance(block, Table)]
    assert tables or "No experiments match" in to_plain_text(reply), to_plain_text(reply)
    return [row[1] for table in tables for row in table.rows]


EVERYTHING = ["draft", "newest", "newer", "older", "oldest"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", EVERYTHING),
        ("tag=best", ["older", "oldest"]),
        ("tag=best,wip", ["older"]),
        ("tag=best tag=wip", ["older"]),
        ("since=2 hours", ["draft"]),
        ("since='2 hours'", ["draft"]),
        ("old since=31 HOURS", ["older"]),
        ("tag=BEST tag=-wip", ["oldest"]),
        ("tag=paper", ["oldest"]),
        ("tag=-best,-wip", ["draft", "newest"]),
        ("owner=bob", ["newest", "older"]),
        ("owner=@Bob", ["newest", "older"]),
        ("owner='Bob Brown'", ["newest", "older"]),
        ("owner=me", ["draft", "newer", "oldest"]),
        ("owner=alice,bob", EVERYTHING),
        ("owner=bob mine", EVERYTHING),
        ("owner=carol", []),
        ("status=failed,aborted", ["newest", "newer", "older"]),
        ("status=failed, aborted", ["newest", "newer", "older"]),
        ("status=Failed status=completed", ["newest", "older", "oldest"]),
        ("status=failed,stopped mine", ["newer"]),
        ("since=1d", ["draft", "newest", "newer"]),
        ("since=15h", ["draft", "newest"]),
        ("since='2 days' status=failed", ["newest", "older"]),
        ("since=1w", EVERYTHING),
        ("metric=val/acc>0.8", ["newest", "oldest"]),
        ("metric=val/acc>=0.8", ["newest", "older", "oldest"]),
        ("metric=val/acc > 0.8", ["newest", "oldest"]),
        ("metric=acc>0.8", ["newest", "oldest"]),
        ("metric=VAL/ACC≥0.9 new", ["newest"]),
        ("metric=val/loss<0.5", ["newer", "oldest"]),
        ("metric=val/acc>0.7,val/acc<0.95", ["older", "oldest"]),
        ("metric=val/acc>0.75 metric=loss<0.3", ["oldest"]),
        ("metric=val/acc>2", []),
        ("sort=created", EVERYTHING),
        ("sort=-created", EVERYTHING[::-1]),
        ("sort=name", ["draft", "newer", "newest", "older", "oldest"]),
        ("sort=-name", ["oldest", "older", "newest", "newer", "draft"]),
        ("sort=iterations", EVERYTHING[::-1]),
        ("sort=val/acc", ["newest", "oldest", "older", "newer"]),
        ("sort=-val/loss", ["oldest", "newer", "older"]),
        ("metric=acc>0.75 sort=-acc", ["older", "oldest", "newest"]),
        ("old status=failed tag=best since=2d metric=acc<1 sort=name owner=bob", ["older"]),
    ],
)
async def test_a_search_finds_what_meets_all_its_conditions(
    program: RunningProgram, words: str, names: list[str]
) -> None:
    assert await find(program, words) == names


@pytest.mark.parametrize(
    ("words", "label", "names"),
    [
        ("failed", "status=failed", ["newest", "older"]),
        ("old failed", "old status=failed", ["older"]),
        ("my aborted runs", "status=aborted mine", ["newer"]),
        ("status Failed, Aborted", "status=failed,aborted", ["newest", "newer", "older"]),
        ("failed owner=bob", "status=failed", ["newest", "older"]),
    ],
)
async def test_a_status_that_was_typed_as_text_is_offered(
    program: RunningProgram, words: str, label: str, names: list[str]
) -> None:
    command = get_buttons(await program.send(f"/find {words}"))[label]
    assert await find(program, command.removeprefix("/find ")) == names
    assert not get_buttons(await program.send(f"/find {words} status=published"))


async def test_a_server_that_ignores_a_condition_on_metrics_changes_nothing(
    program: RunningProgram, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown field is ignored without a word, so what is found is checked again."""
    monkeypatch.setattr("clearml_chatops.sandbox.filters._build_range_condition", lambda *_: lambda _: True)
    for number in range(250):
        add(sandbox, f"bulk {number}", sandbox.alice.id, "completed", 2, tags=[], acc=0.1)
    assert await find(program, "metric=val/acc>0.8") == ["newest", "oldest"]
    assert await find(program, "sort=val/loss") == ["older", "newer", "oldest"]


async def test_the_metrics_of_a_search_have_a_column(program: RunningProgram) -> None:
    text = await program.ask("/find metric=acc>0.8 sort=-loss")
    assert "id | name | status | project | owner | changed | val/acc | val/loss" in text
    assert "| 0.9 | 0.2" in text


# ── What the web UI hides ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
def hidden_ones(sandbox: Sandbox) -> list[str]:
    """Add what ClearML's SDK creates for datasets, old datasets, pipelines and their steps."""
    state, alice = sandbox.state, sandbox.alice.id
    pipelines = add_hidden_project(sandbox, "vision/.pipelines")
    pipeline = add_hidden_project(sandbox, "vision/.pipelines/nightly", "pipeline")
    datasets = add_hidden_project(sandbox, "vision/.datasets/coco", "dataset")
    hidden: dict[str, dict[str, object]] = {
        "pipeline controller": {"project": pipeline, "system_tags": ["pipeline"], "type": "controller"},
        "pipeline step": {"project": pipeline},
        "in a hidden project": {"project": pipelines},
        "dataset": {"project": datasets, "system_tags": ["dataset"], "type": "data_processing"},
        "old dataset": {"system_tags": ["dataset"]},
        "node of a run": {"system_tags": ["hidden", "multi_node_instance"]},
    }
    for name, fields in hidden.items():
        state.add_task(name, user=alice, **fields)
    return list(hidden)


def add_hidden_project(sandbox: Sandbox, name: str, *tags: str) -> str:
    project = sandbox.state.add_project(name, user=sandbox.alice.id)
    project["system_tags"] = ["hidden", *tags]
    return str(project["id"])


async def test_a_search_leaves_out_what_the_web_ui_hides(
    program: RunningProgram, sandbox: Sandbox, hidden_ones: list[str]
) -> None:
    assert await find(program, "sort=-created") == EVERYTHING[::-1]
    assert sorted(await find(program, "--all since=30m")) == []
    assert set(await find(program, "--all sort=name")) | set(await find(program, "--all sort=name page=2")) == {
        *EVERYTHING,
        *hidden_ones,
    }
    assert await find(program, "step") == []
    assert await find(program, "step --all") == ["pipeline step"]
    assert await find(program, "project=.pipelines --all step") == ["pipeline step"]
    assert await program.send_for_error_code("/find project=.pipelines") == "project_not_found"


async def test_an_empty_search_offers_hidden_ones_if_there_are_any(
    program: RunningProgram, hidden_ones: list[str]
) -> None:
    reply = await program.send("/find step owner=alice")
    assert "pipeline step" in await program.ask(get_buttons(reply)["Show hidden ones too"])
    assert not get_buttons(await program.send("/find step owner=bob"))


async def test_many_hidden_ones_push_nothing_out_of_a_page(program: RunningProgram, sandbox: Sandbox) -> None:
    project = add_hidden_project(sandbox, ".pipelines/nightly")
    for number in range(230):
        sandbox.state.add_task(f"step {number}", user=sandbox.alice.id, project=project)
    assert await find(program, "") == EVERYTHING


async def test_a_name_means_a_hidden_experiment_only_if_no_other_has_it(
    program: RunningProgram, sandbox: Sandbox, hidden_ones: list[str]
) -> None:
    assert "pipeline step" in await program.ask("/show pipeline step")
    visible = sandbox.state.add_task("pipeline step", user=sandbox.alice.id)
    assert (await program.send("/show pipeline step")).experiment_id == visible["id"]


# ── Wrong values ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "code", "button", "names"),
    [
        ("/find status=faild", "invalid_value", "status=failed", ["newest", "older"]),
        ("/find status=completed,faild", "invalid_value", "status=failed", ["newest", "older", "oldest"]),
        ("/find status=zzz old", "invalid_value", "Search without status=", ["older", "oldest"]),
        ("/find owner=bop", "invalid_value", "owner=Bob Brown", ["newest", "older"]),
        ("/find owner=nobody status=failed", "invalid_value", "Search without owner=", ["newest", "older"]),
        ("/find tag=bst", "invalid_value", "tag=best", ["older", "oldest"]),
        ("/find tag=-bst status=failed", "invalid_value", "tag=best", ["newest"]),
        ("/find since=2 status=failed", "invalid_value", "since=2d", ["newest", "older"]),
        ("/find since=yesterday", "invalid_value", "since=1d", ["draft", "newest", "newer"]),
        ("/find since=0d status=failed", "invalid_value", "Search without since=", ["newest", "older"]),
        ("/find metric=val/acc=0.9", "invalid_value", "metric=val/acc>=0.9", ["newest", "oldest"]),
        ("/find metric=val/ac>0.8", "invalid_value", "metric=val/acc>0.8", ["newest", "oldest"]),
        ("/find metric=val>0.94", "invalid_value", "metric=val/acc>0.94", ["newest"]),
        ("/find sort=nam", "invalid_value", "sort=name", ["draft", "newer", "newest", "older", "oldest"]),
        ("/find sort=-val/acz", "invalid_value", "sort=-val/acc", ["newer", "older", "oldest", "newest"]),
        ("/find project=nosuch old", "project_not_found", "Search without project=", ["older", "oldest"]),
        ("/find old status=", "invalid_value", "Search without status=", ["older", "oldest"]),
    ],
)
async def test_a_wrong_value_is_refused_with_the_next_step_as_a_button(
    program: RunningProgram, line: str, code: str, button: str, names: list[str]
) -> None:
    reply = await assert_refused(program, line, code)
    command = get_buttons(reply)[button]
    assert await find(program, command.removeprefix("/find ")) == names


async def test_pages_of_a_search_keep_its_conditions(program: RunningProgram, sandbox: Sandbox) -> None:
    for number in range(12):
        add(sandbox, f"more {number:02}", sandbox.bob.id, "failed", 5, tags=["best"], acc=0.5)
    first = await program.send(
        "/find more owner=bob tag=best metric=acc<0.6 status=failed since=6h sort=name --all"
    )
    second = await program.send(get_buttons(first)["Next ›"])
    assert "11–12 of 12" in to_plain_text(second)
    assert "more 10" in to_plain_text(second)


async def test_owners_include_what_the_bot_owns_for_them(program: RunningProgram, sandbox: Sandbox) -> None:
    """Alice's credentials are the bot's, and it may not act as Bob."""
    bob = await program.add_person(sandbox.bob, Role.MEMBER)
    await bob.ask("/clone newest made for bob")
    assert await find(program, "owner=bob") == ["made for bob", "newest", "older"]
    assert await find(program, "owner=bob sort=name") == ["made for bob", "newest", "older"]
