"""Search, display and cloning of experiments, and changes allowed in any status: name, tags, archive."""

from collections.abc import Sequence
from dataclasses import replace

from clearml_chatops.models.edits import DraftEdit, EditKind
from clearml_chatops.models.errors import (
    CannotArchiveError,
    ExperimentNotFoundError,
    InvalidValueError,
    NameTooShortError,
)
from clearml_chatops.models.experiments import Container, Experiment, LogLine, Parameter, Status
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.experiments.differences import ValueChange, diff_experiments
from clearml_chatops.services.experiments.edit_history import EditHistory
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.projects import find_projects, prefer_exact_name
from clearml_chatops.services.notifications.cards import build_web_link
from clearml_chatops.services.watching.tracking import Tracking

MIN_NAME_LENGTH = 3


class ExperimentService:
    """Experiments for one person in one conversation."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        lookup: ExperimentLookup,
        tracking: Tracking,
        history: EditHistory,
        ownership: Ownership,
    ) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._tracking = tracking
        self._history = history
        self._ownership = ownership

    async def get(self, reference: str) -> Experiment:
        return await self._lookup.find(reference)

    async def get_web_link(self, experiment: Experiment) -> str:
        """Return the experiment's web UI link; empty if the web UI's address is unknown."""
        return build_web_link(await self._clearml.get_web_host(), experiment)

    async def use(self, reference: str) -> Experiment:
        """Make an experiment the current one of this conversation."""
        experiment = await self._lookup.find(reference)
        await self._lookup.set_current(experiment.id)
        return experiment

    async def clone(
        self,
        reference: str,
        *,
        name: str,
        project: str = "",
    ) -> Experiment:
        """Clone an experiment into a new Draft, which becomes the current one. Two requests.

        Raises:
            NameTooShortError, and what `ExperimentLookup.find` raises.
        """
        require_valid_name(name, allow_empty=True)
        source = await self._lookup.find(reference)
        return await self.clone_experiment(source, name=name, project=project)

    async def clone_experiment(
        self,
        source: Experiment,
        *,
        name: str,
        project: str = "",
        parameters: Sequence[Parameter] | None = None,
        container: Container | None = None,
    ) -> Experiment:
        """Clone an experiment that is already loaded. One request, one more for a named project."""
        project_id, project_name = source.project_id, source.project_name
        if project:
            project_id, project_name = await self._require_one_project(project)
        clone_name = name or f"Clone of {source.name}"
        user_id, user_name = await self._ownership.get_creator()
        clone_id = await self._clearml.clone(
            source.id,
            name=clone_name,
            project_id=project_id if project else "",
            parameters=parameters,
            container=container,
        )
        draft = replace(
            source,
            id=clone_id,
            name=clone_name,
            status=Status.DRAFT,
            status_changed=self._tracking.now(),
            status_reason="",
            status_message="",
            user_id=user_id,
            user_name=user_name,
            project_id=project_id,
            project_name=project_name,
            parent_id=source.id,
            parameters=source.parameters if parameters is None else tuple(parameters),
            container=source.container if container is None else container,
            queue_id="",
            worker_id="",
            created=None,
            started=None,
            completed=None,
            last_iteration=0,
            metrics=(),
        )
        await self._ownership.record_created(clone_id)
        await self._tracking.follow(draft)
        await self._lookup.set_current(clone_id)
        return draft

    async def rename(self, reference: str, name: str) -> Experiment:
        """Rename an experiment in any status. Raises NameTooShortError, ExperimentNotYoursError."""
        require_valid_name(name)
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        await self._clearml.rename(experiment.id, name)
        await self._history.add(DraftEdit(experiment.id, EditKind.NAME, {"name": experiment.name}, {"name": name}))
        return replace(experiment, name=name)

    async def tag(self, reference: str, *, add: Sequence[str], remove: Sequence[str]) -> Experiment:
        """Add and remove tags in any status; the other tags stay. Raises ExperimentNotYoursError."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        remaining = [tag for tag in experiment.tags if tag not in remove]
        tags = [*remaining, *(tag for tag in dict.fromkeys(add) if tag not in remaining)]
        if tuple(tags) != experiment.tags:
            await self._clearml.set_tags(experiment.id, tags)
            await self._history.add(
                DraftEdit(experiment.id, EditKind.TAGS, {"tags": list(experiment.tags)}, {"tags": tags})
            )
        return replace(experiment, tags=tuple(tags))

    async def archive(self, reference: str) -> Experiment:
        """Archive an experiment. Raises CannotArchiveError while it is Pending or Running."""
        experiment = await self._lookup.find(reference)
        await self._ownership.require_own(experiment)
        if experiment.status in {Status.PENDING, Status.RUNNING}:
            raise CannotArchiveError(name=experiment.name, status=experiment.status.label)
        await self._clearml.archive(experiment.id)
        await self._lookup.forget_current(experiment.id)
        return replace(experiment, archived=True)

    async def diff(self, reference: str, other: str) -> tuple[Experiment, Experiment, tuple[ValueChange, ...]]:
        """Compare an experiment with `other`, or with its parent if that is empty.

        Returns the other experiment, this one, and the changes from the other to this one. Raises
        ExperimentNotFoundError.
        """
        experiment, parent = await self._lookup.find_with_parent(reference)
        if other:
            compared = await self._lookup.find(other)
        elif parent is not None:
            compared = parent
        elif experiment.parent_id:
            compared = await self._lookup.find(experiment.parent_id)
        else:
            raise ExperimentNotFoundError(reference=f"the parent of {experiment.name}")
        return compared, experiment, diff_experiments(compared, experiment)

    async def read_log(self, reference: str, line_count: int) -> tuple[Experiment, tuple[LogLine, ...]]:
        """Return the last lines of a run's log, oldest first."""
        experiment = await self._lookup.find(reference)
        return experiment, await self._clearml.get_last_log_lines(experiment.id, line_count)

    async def _require_one_project(self, name: str) -> tuple[str, str]:
        matching = prefer_exact_name(name, await find_projects(self._clearml, name))
        if len(matching) > 1:
            raise InvalidValueError(
                value=name,
                expected="a unique project name",
                name="project",
                advice=f"Write one of {', '.join(sorted(matching))}.",
            )
        found_name, found_id = next(iter(matching.items()))
        return found_id, found_name


def require_valid_name(name: str, *, allow_empty: bool = False) -> None:
    if len(name.strip()) < MIN_NAME_LENGTH and not (allow_empty and not name):
        raise NameTooShortError(name=name)
