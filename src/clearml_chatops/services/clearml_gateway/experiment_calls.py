"""Experiments as they are read: found, watched, and what they report."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from clearml_chatops.models.experiments import Experiment, LogLine, Status
from clearml_chatops.models.scalars import Curve
from clearml_chatops.services.clearml_gateway.calls import Calls
from clearml_chatops.services.clearml_gateway.reading import (
    EXPERIMENT_FIELDS,
    LISTED_FIELDS,
    RUN_FIELDS,
    STATE_FIELDS,
    read_curve,
    read_experiment,
    read_log_lines,
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


class ExperimentCalls(Calls):
    """The part of ClearML's API that reads experiments and projects, and changes nothing."""

    async def experiments(self, ids: Sequence[str], *, whole: bool = True) -> dict[str, Experiment]:
        """The experiments with these full ids, by id; unknown ids are absent. One request for each 500 of them."""
        tasks = await self._tasks(ids, EXPERIMENT_FIELDS if whole else LISTED_FIELDS)
        return {task["id"]: read_experiment(task) for task in tasks}

    async def find_experiments(
        self, wanted: ExperimentFilter, *, limit: int, skip: int = 0, whole: bool = False
    ) -> tuple[Experiment, ...]:
        """The experiments that fit, the last changed first; archived ones are left out. One request.

        `skip` leaves out as many of the first. How many fit in all ClearML does not tell.
        """
        page, page_size = _page_around(skip, limit)
        body: dict[str, object] = {
            "only_fields": list(EXPERIMENT_FIELDS if whole else LISTED_FIELDS),
            "order_by": ["-last_update"],
            "page": page,
            "page_size": page_size,
            "system_tags": ["-archived"],
        }
        if wanted.text:
            body["_any_"] = {"fields": ["id", "name"], "pattern": _pattern(wanted)}
        if wanted.ids:
            body["id"] = list(wanted.ids)
        if wanted.project_ids:
            body["project"] = list(wanted.project_ids)
        if wanted.user_ids:
            body["user"] = list(wanted.user_ids)
        if wanted.statuses:
            body["status"] = [status.value for status in wanted.statuses]
        data = await self._call("tasks.get_all_ex", body)
        before = skip - page * page_size
        return tuple(read_experiment(task) for task in data["tasks"][before : before + limit])

    async def experiments_changed_since(
        self, moment: datetime, *, page: int, page_size: int
    ) -> tuple[Experiment, ...]:
        """One page of what changed its status at `moment` or later, oldest change first."""
        data = await self._call(
            "tasks.get_all_ex",
            {
                "status_changed": [f">={moment.isoformat()}"],
                "order_by": ["status_changed", "id"],
                "only_fields": list(STATE_FIELDS),
                "page": page,
                "page_size": page_size,
                "search_hidden": True,
            },
        )
        return tuple(read_experiment(task) for task in data["tasks"])

    async def pages_of_changes(self, moment: datetime, *, page_size: int) -> AsyncIterator[tuple[Experiment, ...]]:
        """What changed its status at `moment` or later, oldest change first; one request for each page.

        The next page begins at the last change seen, so that its changes come twice: what changes meanwhile
        moves to the end and would shift pages that are counted. Only within one same moment they must be.
        """
        page = 0
        while True:
            changed = await self.experiments_changed_since(moment, page=page, page_size=page_size)
            yield changed
            if len(changed) < page_size:
                return
            last = changed[-1].status_changed
            moment, page = (last, 0) if last > moment else (moment, page + 1)

    async def running_experiments(self) -> tuple[Experiment, ...]:
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
        return tuple(read_experiment(task) for task in data["tasks"])

    async def existing(self, ids: Sequence[str]) -> frozenset[str]:
        """Which of these experiments there are, archived ones too. One request for each 500 of them."""
        return frozenset(task["id"] for task in await self._tasks(ids, ("id",)))

    async def last_status_change(self) -> datetime | None:
        """The server's time of its most recent status change; None where there are no experiments."""
        data = await self._call(
            "tasks.get_all_ex",
            {"order_by": ["-status_changed"], "only_fields": list(STATE_FIELDS), "page": 0, "page_size": 1},
        )
        tasks = data["tasks"]
        return read_experiment(tasks[0]).status_changed if tasks else None

    async def last_log_lines(self, experiment_id: str, count: int) -> tuple[LogLine, ...]:
        """The last lines of a run's console, oldest first."""
        data = await self._call(
            "events.get_task_log", {"task": experiment_id, "batch_size": count, "navigate_earlier": True}
        )
        events = sorted(data["events"], key=lambda event: event.get("timestamp") or 0)
        return tuple(line for event in events for line in read_log_lines(event))[-count:]

    async def curves(self, experiment_id: str, *, samples: int) -> tuple[Curve, ...]:
        """All that a run reported over its iterations, at most `samples` points each. One request."""
        data = await self._call(
            "events.scalar_metrics_iter_histogram", {"task": experiment_id, "samples": samples, "key": "iter"}
        )
        return tuple(
            read_curve(experiment_id, metric, variant, points)
            for metric, variants in data.items()
            for variant, points in variants.items()
        )

    async def curves_of_several(self, experiment_ids: Sequence[str], *, samples: int) -> tuple[Curve, ...]:
        """The same of several experiments. One request."""
        data = await self._call(
            "events.multi_task_scalar_metrics_iter_histogram",
            {"tasks": list(experiment_ids), "samples": samples, "key": "iter"},
        )
        return tuple(
            read_curve(experiment_id, metric, variant, points)
            for metric, variants in data["metrics"].items()
            for variant, experiments in variants.items()
            for experiment_id, points in experiments.items()
        )

    async def projects(self, name: str) -> dict[str, str]:
        """Ids of the projects whose name holds `name`, by name."""
        data = await self._call(
            "projects.get_all",
            {"name": re.escape(name), "only_fields": ["id", "name"], "search_hidden": False},
        )
        return {project["name"]: project["id"] for project in data["projects"]}


def _pattern(wanted: ExperimentFilter) -> str:
    """The regular expression for names and ids."""
    text = re.escape(wanted.text)
    if not wanted.exact:
        return text
    rest_of_id = max(0, _ID_LENGTH - len(wanted.text))
    return rf"^{text}$|^{text}[0-9a-f]{{{rest_of_id}}}$"


def _page_around(skip: int, limit: int) -> tuple[int, int]:
    """Number and size of the smallest page that holds `limit` entries behind the first `skip`."""
    size = limit
    while skip // size != (skip + limit - 1) // size:
        size += 1
    return skip // size, size
