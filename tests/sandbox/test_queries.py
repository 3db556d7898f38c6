"""Finding tasks: filters, order, pages, scroll, fields, and speed with many tasks."""

import time
from datetime import timedelta
from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client, Clock


async def find_names(client: Client, **query: Any) -> list[str]:
    answer = await client.call_for_data("tasks.get_all_ex", only_fields=["id", "name"], **query)
    return [task["name"] for task in answer["tasks"]]


def add_tasks(sandbox: Sandbox, *task_names: str, **fields: Any) -> list[str]:
    return [sandbox.state.add_task(name, user=sandbox.alice.id, **fields)["id"] for name in task_names]


async def test_name_filter_is_an_unanchored_regular_expression(client: Client, sandbox: Sandbox) -> None:
    add_tasks(sandbox, "resnet18 base", "resnet50 base", "vit")
    assert await find_names(client, name="net") == ["resnet18 base", "resnet50 base"]
    assert await find_names(client, name="^resnet5") == ["resnet50 base"]
    assert await find_names(client, name="VIT") == []
    assert await find_names(client, _any_={"pattern": "VIT|18", "fields": ["name", "comment"]}) == [
        "resnet18 base",
        "vit",
    ]
    bad = await client.call("tasks.get_all_ex", name="(")
    assert (bad.status, bad.subcode) == (400, 21)


async def test_search_text_ignores_case(client: Client, sandbox: Sandbox) -> None:
    add_tasks(sandbox, "Baseline", "another")
    add_tasks(sandbox, "with comment", comment="better than the baseline")
    assert await find_names(client, search_text="BASELINE") == ["Baseline", "with comment"]


async def test_list_filters_include_and_exclude(client: Client, sandbox: Sandbox) -> None:
    add_tasks(sandbox, "plain")
    add_tasks(sandbox, "one", tags=["a"])
    add_tasks(sandbox, "both", tags=["a", "b"], system_tags=["archived"])
    assert await find_names(client, tags=["a"]) == ["one", "both"]
    assert await find_names(client, tags=["__$all", "a", "b"]) == ["both"]
    assert await find_names(client, system_tags=["-archived"]) == ["plain", "one"]
    assert await find_names(client, system_tags=["__$all", "__$not", "archived"]) == ["plain", "one"]
    assert await find_names(client, tags=[None]) == ["plain"]
    assert await find_names(client, status=["bogus"]) == []
    assert await find_names(client, id=[]) == ["plain", "one", "both"]


async def test_filters_by_id_user_project_and_parent(client: Client, sandbox: Sandbox) -> None:
    state = sandbox.state
    subproject = state.add_project("vision/small", user=sandbox.alice.id)
    parent = add_tasks(sandbox, "the parent", project=subproject["id"])[0]
    state.add_task("Bob's task", user=sandbox.bob.id, parent=parent)
    parent_project = state.find_project("vision")
    assert parent_project is not None
    assert await find_names(client, user=[sandbox.bob.id]) == ["Bob's task"]
    assert await find_names(client, parent=[parent]) == ["Bob's task"]
    assert await find_names(client, project=[parent_project["id"]]) == []
    assert await find_names(client, project=[parent_project["id"]], include_subprojects=True) == ["the parent"]
    assert await find_names(client, id=[parent, "0" * 32]) == ["the parent"]


async def test_date_filters_compare_and_equal_dates_are_ordered_by_id(
    client: Client, sandbox: Sandbox, clock: Clock
) -> None:
    start = clock.moment
    tied_ids = add_tasks(sandbox, "tie", "tie", "tie", status_changed=start)
    add_tasks(sandbox, "later", status_changed=start + timedelta(seconds=1))
    add_tasks(sandbox, "never started")
    since = f">={start.isoformat()}"
    assert len(await find_names(client, status_changed=[since])) == 4
    assert await find_names(client, status_changed=[f">{start.isoformat()}"]) == ["later"]
    assert await find_names(client, status_changed=[since, f"<={start.isoformat()}"]) == ["tie"] * 3
    assert len(await find_names(client, status_changed=["no date"])) == 5

    pages: list[str] = []
    for page in range(3):
        answer = await client.call_for_data(
            "tasks.get_all_ex",
            status_changed=[since],
            order_by=["status_changed"],
            page=page,
            page_size=2,
            only_fields=["id"],
        )
        pages += [task["id"] for task in answer["tasks"]]
    assert pages[:3] == sorted(tied_ids)
    assert len(set(pages)) == 4


async def test_times_are_answered_in_microseconds_but_stored_in_milliseconds(client: Client) -> None:
    created = await client.call_for_data("tasks.create", name="draft", type="training")
    started = await client.call_for_data("tasks.started", task=created["id"])
    read = await client.call_for_data("tasks.get_by_id", task=created["id"])

    assert started["fields"]["status_changed"] == "2026-11-22T12:00:00.123456+00:00"
    assert read["task"]["status_changed"] == "2026-11-22T12:00:00.123000+00:00"


async def test_parameters_are_ordered_numerically_with_missing_values_last(
    client: Client, sandbox: Sandbox
) -> None:
    for value in ("9", "10", "0.5"):
        add_tasks(sandbox, value, hyperparams={"Args": {"lr": {"section": "Args", "name": "lr", "value": value}}})
    add_tasks(sandbox, "none")
    assert await find_names(client, order_by=["hyperparams.Args.lr.value"]) == ["0.5", "9", "10", "none"]
    assert await find_names(client, order_by=["-hyperparams.Args.lr.value"]) == ["10", "9", "0.5", "none"]


async def test_pages_have_at_most_500_items(client: Client, sandbox: Sandbox) -> None:
    add_tasks(sandbox, *(f"task {number}" for number in range(510)))
    assert len(await find_names(client)) == 500
    assert len(await find_names(client, page=0, page_size=100_000)) == 500
    assert len(await find_names(client, page=1, page_size=500)) == 10
    assert (await client.call("tasks.get_all", page=-1)).subcode == 12


async def test_scroll_continues_after_the_previous_page(client: Client, sandbox: Sandbox) -> None:
    add_tasks(sandbox, "one", "two", "three")
    query: dict[str, Any] = {"only_fields": ["name"], "size": 2}
    first = await client.call_for_data("tasks.get_all", scroll_id=None, **query)
    second = await client.call_for_data("tasks.get_all", scroll_id=first["scroll_id"], **query)

    assert [task["name"] for task in first["tasks"] + second["tasks"]] == ["one", "two", "three"]
    assert second["scroll_id"] == first["scroll_id"]


async def test_answers_contain_only_the_requested_fields(client: Client, sandbox: Sandbox) -> None:
    project = sandbox.state.add_project("vision", user=sandbox.alice.id)
    parent, child = (
        add_tasks(sandbox, "parent", project=project["id"])[0],
        add_tasks(sandbox, "child")[0],
    )
    sandbox.state.tasks[child].update(parent=parent, project=project["id"], runtime={"a": 1})

    async def read(endpoint: str, *fields: str) -> Any:
        return (await client.call_for_data(endpoint, id=[child], only_fields=list(fields)))["tasks"][0]

    assert await read("tasks.get_all", "project", "runtime.b") == {"project": project["id"], "runtime": {}}
    assert await read("tasks.get_all_ex", "project.name", "parent", "user.name") == {
        "project": {"id": project["id"], "name": "vision"},
        "parent": {"id": parent},
        "user": {"id": sandbox.alice.id, "name": "Alice Adams"},
    }
    unknown = await client.call("tasks.get_all", only_fields=["nope"])
    assert (unknown.status, unknown.subcode) == (400, 14)
    assert sandbox.state.tasks[child]["project"] == project["id"]


async def test_polling_is_fast_with_ten_thousand_tasks(client: Client, sandbox: Sandbox, clock: Clock) -> None:
    moment = clock.moment
    for number in range(10_000):
        sandbox.state.add_task(f"task {number}", user=sandbox.alice.id, status_changed=moment)
    later = (moment + timedelta(seconds=1)).isoformat()

    started_at = time.perf_counter()
    for _ in range(5):
        assert await find_names(client, status_changed=[f">={later}"], order_by=["status_changed"]) == []
    assert (time.perf_counter() - started_at) / 5 < 0.1


@pytest.mark.parametrize("path", ["projects.get_all", "projects.get_all_ex"])
async def test_creating_a_project_creates_its_parents(client: Client, sandbox: Sandbox, path: str) -> None:
    created = await client.call_for_data("projects.create", name="a1b/c2d/e3f")
    assert [project["name"] for project in sandbox.state.projects.values()] == ["a1b", "a1b/c2d", "a1b/c2d/e3f"]
    found = await client.call_for_data(path, name="^a1b/c2d/e3f$", only_fields=["id", "basename"])
    assert found["projects"] == [{"id": created["id"], "basename": "e3f"}]
    read = await client.call_for_data("projects.get_by_id", project=created["id"])
    assert len(read["project"]["path"]) == 2


async def test_hidden_tasks_are_found_only_by_id_or_on_request(client: Client, sandbox: Sandbox) -> None:
    add_tasks(sandbox, "shown")
    (hidden,) = add_tasks(sandbox, "hidden", system_tags=["hidden"])
    assert await find_names(client) == ["shown"]
    assert await find_names(client, search_hidden=True) == ["shown", "hidden"]
    assert await find_names(client, id=[hidden]) == ["hidden"]


async def test_ranges_include_their_bounds_and_without_a_lower_one_missing_values(
    client: Client, sandbox: Sandbox
) -> None:
    for value in (1, 2, 3):
        add_tasks(sandbox, str(value), last_metrics={"m": {"v": {"value": value}}})
    add_tasks(sandbox, "none")
    assert await find_names(client, **{"last_metrics.m.v.value": [2, None]}) == ["2", "3"]
    assert await find_names(client, **{"last_metrics.m.v.value": [1, 2]}) == ["1", "2"]
    assert await find_names(client, **{"last_metrics.m.v.value": [None, 2]}) == ["1", "2", "none"]
    for wrong in ([None, None], [1], 1):
        assert (await client.call("tasks.get_all_ex", **{"last_metrics.m.v.value": wrong})).status == 400
