"""Requests that read experiments: search, status changes, and what runs report."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, LogLine, Status
from clearml_chatops.models.scalars import Curve
from clearml_chatops.services.clearml_gateway.api_client import ApiClient
from clearml_chatops.services.clearml_gateway.experiment_filters import (
    ExperimentFilter,
    MetricKey,
    build_query,
)
from clearml_chatops.services.clearml_gateway.serialization import parse_curve, parse_experiment, parse_log_lines
from clearml_chatops.services.clearml_gateway.task_fields import (
    EXPERIMENT_FIELDS,
    RUN_FIELDS,
    SEARCH_FIELDS,
    STATE_FIELDS,
    SUMMARY_FIELDS,
)

_SEARCH_PAGE_SIZE = 100
_MAX_SEARCH_PAGE_SIZE = 500
_MAX_SEARCH_PAGES = 40


class ExperimentQueries(ApiClient):
    """The part of ClearML's API that reads experiments and projects, and changes nothing."""

    async def get_experiments(self, ids: Sequence[str], *, with_details: bool = True) -> dict[str, Experiment]:
        """Return the experiments with these full ids, by id, without unknown ones. One request per 500 ids."""
        tasks = await self._get_tasks(ids, EXPERIMENT_FIELDS if with_details else SUMMARY_FIELDS)
        return {task["id"]: parse_experiment(task) for task in tasks}

    async def find_experiments(
        self, experiment_filter: ExperimentFilter, *, limit: int, skip: int = 0, with_details: bool = False
    ) -> tuple[Experiment, ...]:
        """Return matching experiments without archived ones, the last changed first. One request.

        The first `skip` matches are left out. ClearML doesn't return the total number of matches.
        """
        page, page_size = _compute_page(skip, limit)
        body = {
            **build_query(experiment_filter),
            "only_fields": list(EXPERIMENT_FIELDS if with_details else SUMMARY_FIELDS),
            "page": page,
            "page_size": page_size,
        }
        data = await self._call("tasks.get_all_ex", body)
        start = skip - page * page_size
        return tuple(parse_experiment(task) for task in data["tasks"][start : start + limit])

    async def search_experiments(
        self, experiment_filter: ExperimentFilter, *, accepts: Callable[[Experiment], bool], limit: int
    ) -> tuple[Experiment, ...]:
        """Return the first matching experiments that `accepts` accepts, in the order of the filter.

        Mostly one request, more if the server finds much that is not accepted: it can't leave out hidden
        projects, and an old one ignores conditions that it doesn't know. It searches the first 20,000 matches.
        """
        page_size = min(max(limit, _SEARCH_PAGE_SIZE), _MAX_SEARCH_PAGE_SIZE)
        fields = [*SEARCH_FIELDS, *(key.path for key in experiment_filter.ranges)]
        body = {**build_query(experiment_filter), "only_fields": fields, "page_size": page_size}
        found: dict[str, Experiment] = {}
        for page in range(_MAX_SEARCH_PAGES):
            tasks = (await self._call("tasks.get_all_ex", {**body, "page": page}))["tasks"]
            found |= {item.id: item for item in map(parse_experiment, tasks) if accepts(item)}
            if len(found) >= limit or len(tasks) < page_size:
                break
        return tuple(found.values())[:limit]

    async def list_experiments_changed_since(
        self, since: datetime, *, page: int, page_size: int
    ) -> tuple[Experiment, ...]:
        """Return a page of the experiments that changed their status at `since` or later, oldest change first."""
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
        """Yield the experiments that changed their status at `since` or later, oldest change first.

        Makes one request per page. Each page starts at the last change seen, so the experiments of that
        moment come twice: pages counted by number would shift, because an experiment that changes meanwhile
        moves to the end. Pages are counted only if one moment has more changes than fit a page.
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
        """Return what is Running according to ClearML, with host and worker. One request, at most 500 runs."""
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
        """Return which of these experiments exist, including archived ones. One request per 500 ids."""
        return frozenset(task["id"] for task in await self._get_tasks(ids, ("id",)))

    async def get_last_status_change(self) -> datetime | None:
        """Return the time of the server's most recent status change; None if there are no experiments."""
        query = {"order_by": ["-status_changed"], "only_fields": list(STATE_FIELDS), "page": 0, "page_size": 1}
        data = await self._call("tasks.get_all_ex", query)
        tasks = data["tasks"]
        return parse_experiment(tasks[0]).status_changed if tasks else None

    async def get_last_log_lines(self, experiment_id: str, count: int) -> tuple[LogLine, ...]:
        """Return the last lines of a run's log, oldest first."""
        query = {"task": experiment_id, "batch_size": count, "navigate_earlier": True}
        data = await self._call("events.get_task_log", query)
        events = sorted(data["events"], key=lambda event: event.get("timestamp") or 0)
        return tuple(line for event in events for line in parse_log_lines(event))[-count:]

    async def get_curves(self, experiment_id: str, *, samples: int) -> tuple[Curve, ...]:
        """Return all scalars that a run reported, at most `samples` points each. One request."""
        query = {"task": experiment_id, "samples": samples, "key": "iter"}
        data = await self._call("events.scalar_metrics_iter_histogram", query)
        curves = ((metric, *item) for metric, variants in data.items() for item in variants.items())
        return tuple(parse_curve(experiment_id, *curve) for curve in curves)

    async def get_curves_of_experiments(self, experiment_ids: Sequence[str], *, samples: int) -> tuple[Curve, ...]:
        """Return all scalars that several runs reported, at most `samples` points each. One request."""
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

    async def find_projects(self, name: str, *, include_hidden: bool = False) -> dict[str, str]:
        """Return the ids of the projects with `name` in their name, by name."""
        query = {"name": re.escape(name), "only_fields": ["id", "name"], "search_hidden": include_hidden}
        data = await self._call("projects.get_all", query)
        return {project["name"]: project["id"] for project in data["projects"]}

    async def list_metric_keys(self) -> tuple[MetricKey, ...]:
        """Return the scalars that experiments of any project have reported."""
        data = await self._call("projects.get_unique_metric_variants", {})
        return tuple(
            MetricKey(item["metric"], item["variant"], item["metric_hash"], item["variant_hash"])
            for item in data["metrics"]
        )

    async def list_tags(self) -> tuple[str, ...]:
        """Return the tags that experiments of any project have."""
        return tuple((await self._call("projects.get_task_tags", {}))["tags"])


def _compute_page(skip: int, limit: int) -> tuple[int, int]:
    """Return number and size of the smallest page that holds the `limit` entries after the first `skip`."""
    size = limit
    while skip // size != (skip + limit - 1) // size:
        size += 1
    return skip // size, size
