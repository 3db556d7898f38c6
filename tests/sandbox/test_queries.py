"""Finding tasks: filters, order, pages, scroll, fields, and how fast it is among many."""

import time
from datetime import timedelta
from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client, Clock


async def names(client: Client, **query: Any) -> list[str]:
    answer = await client.data("tasks.get_all_ex", only_fields=["id", "name"], **query)
    return [task["name"] for task in answer["tasks"]]


def add(sandbox: Sandbox, *wanted: str, **fields: Any) -> list[str]:
    return [sandbox.state.add_task(name, user=sandbox.alice.id, **fields)["id"] for name in wanted]


async def test_names_are_regular_expressions_found_anywhere(client: Client, sandbox: Sandbox) -> None:
    add(sandbox, "resnet18 base", "resnet50 base", "vit")
    assert await names(client, name="net") == ["resnet18 base", "resnet50 base"]
    assert await names(client, name="^resnet5") == ["resnet50 base"]
    assert await names(client, name="VIT") == []
    assert await names(client, _any_={"pattern": "VIT|18", "fields": ["name", "comment"]}) == [
        "resnet18 base",
        "vit",
    ]
    bad = await client.call("tasks.get_all_ex", name="(")
    assert (bad.status, bad.subcode) == (400, 21)


async def test_text_is_searched_without_regard_to_case(client: Client, sandbox: Sandbox) -> None:
    add(sandbox, "Baseline", "another")
    add(sandbox, "noted", comment="better than the baseline")
    assert await names(client, search_text="BASELINE") == ["Baseline", "noted"]


async def test_lists_include_and_exclude(client: Client, sandbox: Sandbox) -> None:
    add(sandbox, "plain")
    add(sandbox, "one", tags=["a"])
    add(sandbox, "both", tags=["a", "b"], system_tags=["archived"])
    assert await names(client, tags=["a"]) == ["one", "both"]
    assert await names(client, tags=["__$all", "a", "b"]) == ["both"]
    assert await names(client, system_tags=["-archived"]) == ["plain", "one"]
    assert await names(client, system_tags=["__$all", "__$not", "archived"]) == ["plain", "one"]
    assert await names(client, tags=[None]) == ["plain"]
    assert await names(client, status=["bogus"]) == []
    assert await names(client, id=[]) == ["plain", "one", "both"]


async def test_ids_users_projects_and_parents_filter(client: Client, sandbox: Sandbox) -> None:
    state = sandbox.state
    below = state.add_project("vision/small", user=sandbox.alice.id)
    parent = add(sandbox, "the parent", project=below["id"])[0]
    state.add_task("of Bob's", user=sandbox.bob.id, parent=parent)
    above = state.project_named("vision")
    assert above is not None
    assert await names(client, user=[sandbox.bob.id]) == ["of Bob's"]
    assert await names(client, parent=[parent]) == ["of Bob's"]
    assert await names(client, project=[above["id"]]) == []
    assert await names(client, project=[above["id"]], include_subprojects=True) == ["the parent"]
    assert await names(client, id=[parent, "0" * 32]) == ["the parent"]


async def test_dates_compare_and_ties_are_kept_apart_by_id(client: Client, sandbox: Sandbox, clock: Clock) -> None:
    start = clock.moment
    tied = add(sandbox, "tie", "tie", "tie", status_changed=start)
    add(sandbox, "later", status_changed=start + timedelta(seconds=1))
    add(sandbox, "never started")
    since = f">={start.isoformat()}"
    assert len(await names(client, status_changed=[since])) == 4
    assert await names(client, status_changed=[f">{start.isoformat()}"]) == ["later"]
    assert await names(client, status_changed=[since, f"<={start.isoformat()}"]) == ["tie"] * 3
    assert len(await names(client, status_changed=["no date"])) == 5

    pages: list[str] = []
    for page in range(3):
        answer = await client.data(
            "tasks.get_all_ex",
            status_changed=[since],
            order_by=["status_changed"],
            page=page,
            page_size=2,
            only_fields=["id"],
        )
        pages += [task["id"] for task in answer["tasks"]]
    assert pages[:3] == sorted(tied)
    assert len(set(pages)) == 4


async def test_a_moment_told_in_microseconds_is_stored_in_milliseconds(client: Client) -> None:
    made = await client.data("tasks.create", name="draft", type="training")
    started = await client.data("tasks.started", task=made["id"])
    read = await client.data("tasks.get_by_id", task=made["id"])

    assert started["fields"]["status_changed"] == "2026-11-22T12:00:00.123456+00:00"
    assert read["task"]["status_changed"] == "2026-11-22T12:00:00.123000+00:00"


async def test_orders_numbers_in_parameters_as_numbers_and_missing_values_last(
    client: Client, sandbox: Sandbox
) -> None:
    for value in ("9", "10", "0.5"):
        add(sandbox, value, hyperparams={"Args": {"lr": {"section": "Args", "name": "lr", "value": value}}})
    add(sandbox, "none")
    assert await names(client, order_by=["hyperparams.Args.lr.value"]) == ["0.5", "9", "10", "none"]
    assert await names(client, order_by=["-hyperparams.Args.lr.value"]) == ["10", "9", "0.5", "none"]


async def test_pages_hold_500_at_most(client: Client, sandbox: Sandbox) -> None:
    add(sandbox, *(f"task {number}" for number in range(510)))
    assert len(await names(client)) == 500
    assert len(await names(client, page=0, page_size=100_000)) == 500
    assert len(await names(client, page=1, page_size=500)) == 10
    assert (await client.call("tasks.get_all", page=-1)).subcode == 12


async def test_a_scroll_goes_on_where_it_was(client: Client, sandbox: Sandbox) -> None:
    add(sandbox, "one", "two", "three")
    query: dict[str, Any] = {"only_fields": ["name"], "size": 2}
    first = await client.data("tasks.get_all", scroll_id=None, **query)
    second = await client.data("tasks.get_all", scroll_id=first["scroll_id"], **query)

    assert [task["name"] for task in first["tasks"] + second["tasks"]] == ["one", "two", "three"]
    assert second["scroll_id"] == first["scroll_id"]


async def test_only_the_fields_asked_for(client: Client, sandbox: Sandbox) -> None:
    project = sandbox.state.add_project("vision", user=sandbox.alice.id)
    parent, child = (
        add(sandbox, "parent", project=project["id"])[0],
        add(sandbox, "child")[0],
    )
    sandbox.state.tasks[child].update(parent=parent, project=project["id"], runtime={"a": 1})

    async def read(endpoint: str, *fields: str) -> Any:
        return (await client.data(endpoint, id=[child], only_fields=list(fields)))["tasks"][0]

    assert await read("tasks.get_all", "project", "runtime.b") == {"project": project["id"], "runtime": {}}
    assert await read("tasks.get_all_ex", "project.name", "parent", "user.name") == {
        "project": {"id": project["id"], "name": "vision"},
        "parent": {"id": parent},
        "user": {"id": sandbox.alice.id, "name": "Alice Adams"},
    }
    unknown = await client.call("tasks.get_all", only_fields=["nope"])
    assert (unknown.status, unknown.subcode) == (400, 14)
    assert sandbox.state.tasks[child]["project"] == project["id"]


async def test_ten_thousand_tasks_do_not_slow_the_watcher_down(
    client: Client, sandbox: Sandbox, clock: Clock
) -> None:
    moment = clock.moment
    for number in range(10_000):
        sandbox.state.add_task(f"task {number}", user=sandbox.alice.id, status_changed=moment)
    later = (moment + timedelta(seconds=1)).isoformat()

    began = time.perf_counter()
    for _ in range(5):
        assert await names(client, status_changed=[f">={later}"], order_by=["status_changed"]) == []
    assert (time.perf_counter() - began) / 5 < 0.1


@pytest.mark.parametrize("path", ["projects.get_all", "projects.get_all_ex"])
async def test_projects_stand_under_their_parents(client: Client, sandbox: Sandbox, path: str) -> None:
    made = await client.data("projects.create", name="a1b/c2d/e3f")
    assert [project["name"] for project in sandbox.state.projects.values()] == ["a1b", "a1b/c2d", "a1b/c2d/e3f"]
    found = await client.data(path, name="^a1b/c2d/e3f$", only_fields=["id", "basename"])
    assert found["projects"] == [{"id": made["id"], "basename": "e3f"}]
    read = await client.data("projects.get_by_id", project=made["id"])
    assert len(read["project"]["path"]) == 2
