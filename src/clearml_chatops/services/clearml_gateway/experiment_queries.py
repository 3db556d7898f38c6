"""Experiments as they are read: found, watched, and what they report."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, LogLine, Status
from clearml_chatops.models.scalars import Curve
from clearml_chatops.services.clearml_gateway.api_client import ApiClient
from clearml_chatops.services.clearml_gateway.serialization import (
    EXPERIMENT_FIELDS,
    RUN_FIELDS,
    STATE_FIELDS,
    SUMMARY_FIELDS,
    parse_curve,
    parse_experiment,
    parse_log_lines,
)

_ID_LENGTH = 32


@dataclass(frozen=True, slots=True)
class ExperimentFilter:
    """What to look for. Texts are matched as they are, without regard to case, never as a pattern.

    `exact` asks for names that are the whole text and ids that begin with it.
    """

    text: str = ""
    exact: bool = False
    ids: tuple[str, ...] = ()
    project_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()


class ExperimentQueries(ApiClient):
    """The part of ClearML's API that reads experiments and projects, and changes nothing."""

    async def get_experiments(self, ids: Sequence[str], *, with_details: bool = True) -> dict[str, Experiment]:
        """The experiments with these full ids, by id; unknown ids are absent. One request for each 500 of them."""
        tasks = await self._get_tasks(ids, EXPERIMENT_FIELDS if with_details else SUMMARY_FIELDS)
        return {task["id"]: parse_experiment(task) for task in tasks}

    async def find_experiments(
        self, experiment_filter: ExperimentFilter, *, limit: int, skip: int = 0, with_details: bool = False
    ) -> tuple[Experiment, ...]:
        """The experiments that fit, the last changed first; archived ones are left out. One request.

        `skip` leaves out as many of the first. How many fit in all ClearML does not tell.
        """
        page, page_size = _compute_page(skip, limit)
        body: dict[str, object] = {
            "only_fields": list(EXPERIMENT_FIELDS if with_details else SUMMARY_FIELDS),
            "order_by": ["-last_update"],
            "page": page,
            "page_size": page_size,
            "system_tags": ["-archived"],
        }
        if experiment_filter.text:
            body["_any_"] = {"fields": ["id", "name"], "pattern": _build_pattern(experiment_filter)}
        if experiment_filter.ids:
            body["id"] = list(experiment_filter.ids)
        if experiment_filter.project_ids:
            body["project"] = list(experiment_filter.project_ids)
        if experiment_filter.user_ids:
            body["user"] = list(experiment_filter.user_ids)
        if experiment_filter.statuses:
            body["status"] = [status.value for status in experiment_filter.statuses]
        data = await self._call("tasks.get_all_ex", body)
        start = skip - page * page_size
        return tuple(parse_experiment(task) for task in data["tasks"][start : start + limit])

    async def list_experiments_changed_since(
        self, since: datetime, *, page: int, page_size: int
    ) -> tuple[Experiment, ...]:
        """One page of what changed its status at `moment` or later, oldest change first."""
        data = await self._call(
            "tasks.get_all_ex",
            {
                "status_changed": [f">={since.isoformat()}"],
                "order_by": ["status_changed", "id"],
                "only_fields": list(STATE_FIELDS),
                "page": page,
                "page_size": page_size,
                "search_hidden": True,
            },
        )
        return tuple(parse_experiment(task) for task in data["tasks"])

    async def iterate_changed_experiments(
        self, since: datetime, *, page_size: int
    ) -> AsyncIterator[tuple[Experiment, ...]]:
        """What changed its status at `moment` or later, oldest change first; one request for each page.

        The next page begins at the last change seen, so that its changes come twice: what changes meanwhile
        moves to the end and would shift pages that are counted. Only within one same moment they must be.
        """
        page = 0
        while True:
            changed = await self.list_experiments_changed_since(since, page=page, page_size=page_size)
            yield changed
            if len(changed) < page_size:
                return
            last = changed[-1].status_changed
            since, page = (last, 0) if last > since else (since, page + 1)

    async def list_running_experiments(self) -> tuple[Experiment, ...]:
        """All that ClearML takes for running, with where and by which worker. One request, for at most 500."""
        data = await self._call(
            "tasks.get_all_ex",
            {
                "status": [Status.RUNNING.value],
                "only_fields": list(RUN_FIELDS),
                "page": 0,
                "page_size": 500,
                "search_hidden": True,
            },
        )
        return tuple(parse_experiment(task) for task in data["tasks"])

    async def find_existing_ids(self, ids: Sequence[str]) -> frozenset[str]:
        """Which of these experiments there are, archived ones too. One request for each 500 of them."""
        return frozenset(task["id"] for task in await self._get_tasks(ids, ("id",)))

    async def get_last_status_change(self) -> datetime | None:
        """The server's time of its most recent status change; None where there are no experiments."""
        data = await self._call(
            "tasks.get_all_ex",
            {"order_by": ["-status_changed"], "only_fields": list(STATE_FIELDS), "page": 0, "page_size": 1},
        )
        tasks = data["tasks"]
        return parse_experiment(tasks[0]).status_changed if tasks else None

    async def get_last_log_lines(self, experiment_id: str, count: int) -> tuple[LogLine, ...]:
        """The last lines of a run's console, oldest first."""
        data = await self._call(
            "events.get_task_log", {"task": experiment_id, "batch_size": count, "navigate_earlier": True}
        )
        events = sorted(data["events"], key=lambda event: event.get("timestamp") or 0)
        return tuple(line for event in events for line in parse_log_lines(event))[-count:]

    async def get_curves(self, experiment_id: str, *, samples: int) -> tuple[Curve, ...]:
        """All that a run reported over its iterations, at most `samples` points each. One request."""
        data = await self._call(
            "events.scalar_metrics_iter_histogram", {"task": experiment_id, "samples": samples, "key": "iter"}
        )
        return tuple(
            parse_curve(experiment_id, metric, variant, points)
            for metric, variants in data.items()
            for variant, points in variants.items()
        )

    async def get_curves_of_experiments(self, experiment_ids: Sequence[str], *, samples: int) -> tuple[Curve, ...]:
        """The same of several experiments. One request."""
        data = await self._call(
            "events.multi_task_scalar_metrics_iter_histogram",
            {"tasks": list(experiment_ids), "samples": samples, "key": "iter"},
        )
        return tuple(
            parse_curve(experiment_id, metric, variant, points)
            for metric, variants in data["metrics"].items()
            for variant, experiments in variants.items()
            for experiment_id, points in experiments.items()
        )

    async def find_projects(self, name: str) -> dict[str, str]:
        """Ids of the projects whose name holds `name`, by name."""
        data = await self._call(
            "projects.get_all",
            {"name": re.escape(name), "only_fields": ["id", "name"], "search_hidden": False},
        )
        return {project["name"]: project["id"] for project in data["projects"]}


def _build_pattern(experiment_filter: ExperimentFilter) -> str:
    """The regular expression for names and ids."""
    text = re.escape(experiment_filter.text)
    if not experiment_filter.exact:
        return text
    rest_of_id = max(0, _ID_LENGTH - len(experiment_filter.text))
    return rf"^{text}$|^{text}[0-9a-f]{{{rest_of_id}}}$"


def _compute_page(skip: int, limit: int) -> tuple[int, int]:
    """Number and size of the smallest page that holds `limit` entries behind the first `skip`."""
    size = limit
    while skip // size != (skip + limit - 1) // size:
        size += 1
    return skip // size, size
