"""Edits of a Draft's parameters, container and script, and undo of the last edit.

Each method reads the draft first and merges its change into that state, never into an older copy. An edit
made in the web UI in the meantime is kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from clearml_chatops.models.edits import DraftEdit, EditKind
from clearml_chatops.models.errors import ClearMLError, EditConflictError, NothingToUndoError
from clearml_chatops.models.experiments import Container, Experiment, Parameter, Script
from clearml_chatops.models.people import Person, Role
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.api_client import has_code
from clearml_chatops.services.experiments.differences import (
    ValueChange,
    diff_containers,
    diff_parameters,
    diff_scripts,
)
from clearml_chatops.services.experiments.edit_history import EditHistory
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup
from clearml_chatops.services.experiments.ownership import Ownership
from clearml_chatops.services.experiments.parameter_names import require_parameters
from clearml_chatops.services.experiments.parameters import merged, resolve_assignments
from clearml_chatops.services.experiments.status_errors import build_not_a_draft_error

_INVALID_STATUS = (400, 110)


@dataclass(frozen=True, slots=True)
class EditedDraft:
    """A draft after an edit, the changes, and the differences from its parent (None without a parent)."""

    experiment: Experiment
    changes: tuple[ValueChange, ...]
    changes_from_parent: tuple[ValueChange, ...] | None = None


class DraftService:
    """Edits for one person in one conversation. All methods raise NotADraftError, ExperimentNotYoursError."""

    def __init__(
        self,
        *,
        clearml: ClearML,
        lookup: ExperimentLookup,
        history: EditHistory,
        ownership: Ownership,
        person: Person,
    ) -> None:
        self._clearml = clearml
        self._lookup = lookup
        self._history = history
        self._ownership = ownership
        self._person = person

    async def require_editable(self, reference: str) -> tuple[Experiment, Experiment | None]:
        """Return a draft that the person may change, and its parent (None if missing or not loadable)."""
        draft, parent = await self._require_draft_with_parent(reference)
        return draft, await self._load_parent(draft, parent)

    async def check_editable(self, reference: str) -> tuple[Experiment, bool]:
        """Return an experiment and whether it is a draft that the person may change."""
        experiment = await self._lookup.find(reference)
        if not experiment.is_draft or self._person.role < Role.MEMBER:
            return experiment, False
        return experiment, await self._ownership.is_own(experiment)

    async def set_parameters(
        self, reference: str, assignments: Sequence[tuple[str, str]], *, allow_new: bool
    ) -> EditedDraft:
        """Set parameters of a draft; all or none. Raises ParameterNotFoundError, InvalidValueError."""
        draft, parent = await self._require_draft_with_parent(reference)
        changed = resolve_assignments(draft, assignments, allow_new=allow_new)
        write = self._write_to_draft(draft, self._clearml.set_parameters(draft.id, changed))
        _, parent = await asyncio.gather(write, self._load_parent(draft, parent))
        after = tuple(merged(draft.parameters, changed))
        await self._record_edit(
            draft, EditKind.PARAMETERS, _build_undo_values(draft, changed), _map_values(changed)
        )
        return EditedDraft(
            replace(draft, parameters=after),
            diff_parameters(draft.parameters, after),
            diff_parameters(parent.parameters, after) if parent else None,
        )

    async def unset_parameters(self, reference: str, names: Sequence[str]) -> EditedDraft:
        """Remove parameters of a draft; the script's defaults apply again. Raises ParameterNotFoundError."""
        draft, parent = await self._require_draft_with_parent(reference)
        removed = require_parameters(draft, names)
        write = self._write_to_draft(draft, self._clearml.delete_parameters(draft.id, removed))
        _, parent = await asyncio.gather(write, self._load_parent(draft, parent))
        after = tuple(item for item in draft.parameters if item not in removed)
        await self._record_edit(
            draft,
            EditKind.PARAMETERS,
            _build_undo_values(draft, removed),
            {str(item.key): None for item in removed},
        )
        return EditedDraft(
            replace(draft, parameters=after),
            diff_parameters(draft.parameters, after),
            diff_parameters(parent.parameters, after) if parent else None,
        )

    async def change_container(
        self, reference: str, *, image: str | None, arguments: str | None, setup: str | None
    ) -> EditedDraft:
        """Change parts of the container; None keeps a part."""
        draft = await self._require_draft(reference)
        before = draft.container
        after = replace(
            before,
            image=before.image if image is None else image,
            arguments=before.arguments if arguments is None else arguments,
            setup_shell_script=before.setup_shell_script if setup is None else setup,
        )
        await self._write_to_draft(draft, self._clearml.set_container(draft.id, after))
        await self._record_edit(draft, EditKind.CONTAINER, asdict(before), asdict(after))
        return EditedDraft(replace(draft, container=after), diff_containers(before, after))

    async def change_script(
        self, reference: str, *, branch: str | None, commit: str | None, entry_point: str | None
    ) -> EditedDraft:
        """Change which code runs. None keeps a value, but a new branch clears the commit."""
        draft = await self._require_draft(reference)
        before = draft.script
        kept_commit = before.commit if branch is None else ""
        after = replace(
            before,
            branch=before.branch if branch is None else branch,
            commit=kept_commit if commit is None else commit,
            entry_point=before.entry_point if entry_point is None else entry_point,
        )
        await self._write_to_draft(draft, self._clearml.set_script(draft.id, after))
        await self._record_edit(draft, EditKind.SCRIPT, asdict(before), asdict(after))
        return EditedDraft(replace(draft, script=after), diff_scripts(before, after))

    async def undo(self, reference: str) -> EditedDraft:
        """Undo the last edit that the bot made to a draft.

        Raises:
            NothingToUndoError: there is no such edit.
            EditConflictError: the edited value was changed again since then; nothing is undone.
        """
        draft = await self._require_draft(reference)
        edit = await self._history.get_last(draft.id)
        if edit is None:
            raise NothingToUndoError(name=draft.name)
        match edit.kind:
            case EditKind.PARAMETERS:
                edited = await self._undo_parameters(draft, edit)
            case EditKind.CONTAINER:
                edited = await self._undo_container(draft, Container(**edit.before), Container(**edit.after))
            case EditKind.SCRIPT:
                edited = await self._undo_script(draft, Script(**edit.before), Script(**edit.after))
            case EditKind.NAME:
                edited = await self._undo_name(draft, edit.before["name"], edit.after["name"])
            case EditKind.TAGS:
                edited = await self._undo_tags(draft, edit.before["tags"], edit.after["tags"])
        await self._history.mark_undone(edit)
        return edited

    async def _undo_parameters(self, draft: Experiment, edit: DraftEdit) -> EditedDraft:
        current = {str(item.key): item.value for item in draft.parameters}
        if any(current.get(name) != value for name, value in edit.after.items()):
            raise EditConflictError(what="A parameter", name=draft.name)
        restored = [Parameter(**item) for item in edit.before.values() if item is not None]
        added = {name for name, item in edit.before.items() if item is None}
        removed = [item for item in draft.parameters if str(item.key) in added]
        if restored:
            await self._write_to_draft(draft, self._clearml.set_parameters(draft.id, restored))
        if removed:
            await self._write_to_draft(draft, self._clearml.delete_parameters(draft.id, removed))
        after = tuple(item for item in merged(draft.parameters, restored) if item not in removed)
        return EditedDraft(replace(draft, parameters=after), diff_parameters(draft.parameters, after))

    async def _undo_container(self, draft: Experiment, before: Container, after: Container) -> EditedDraft:
        if draft.container != after:
            raise EditConflictError(what="The container", name=draft.name)
        await self._write_to_draft(draft, self._clearml.set_container(draft.id, before))
        return EditedDraft(replace(draft, container=before), diff_containers(after, before))

    async def _undo_script(self, draft: Experiment, before: Script, after: Script) -> EditedDraft:
        if draft.script != after:
            raise EditConflictError(what="The script", name=draft.name)
        await self._write_to_draft(draft, self._clearml.set_script(draft.id, before))
        return EditedDraft(replace(draft, script=before), diff_scripts(after, before))

    async def _undo_name(self, draft: Experiment, before: str, after: str) -> EditedDraft:
        if draft.name != after:
            raise EditConflictError(what="The name", name=draft.name)
        await self._clearml.rename(draft.id, before)
        return EditedDraft(replace(draft, name=before), (ValueChange("name", after, before),))

    async def _undo_tags(self, draft: Experiment, before: list[str], after: list[str]) -> EditedDraft:
        if list(draft.tags) != after:
            raise EditConflictError(what="The tags", name=draft.name)
        await self._clearml.set_tags(draft.id, before)
        change = ValueChange("tags", ", ".join(after), ", ".join(before))
        return EditedDraft(replace(draft, tags=tuple(before)), (change,))

    async def _require_draft(self, reference: str) -> Experiment:
        return (await self._require_draft_with_parent(reference))[0]

    async def _require_draft_with_parent(self, reference: str) -> tuple[Experiment, Experiment | None]:
        experiment, parent = await self._lookup.find_with_parent(reference)
        await self._ownership.require_own(experiment)
        if not experiment.is_draft:
            raise build_not_a_draft_error(experiment)
        return experiment, parent

    async def _load_parent(self, draft: Experiment, loaded_parent: Experiment | None) -> Experiment | None:
        """Return the parent, and load it if the lookup did not.

        It only serves to count differences and is loaded during the write. If it cannot be loaded, the edit
        still succeeds.
        """
        if loaded_parent is not None or not draft.parent_id:
            return loaded_parent
        try:
            return (await self._clearml.get_experiments([draft.parent_id])).get(draft.parent_id)
        except ClearMLError:
            return None

    async def _write_to_draft(self, draft: Experiment, write: Any) -> None:
        """Await a write. Raises NotADraftError if the draft was enqueued after it was read."""
        try:
            await write
        except ClearMLError as error:
            if has_code(error, *_INVALID_STATUS):
                raise build_not_a_draft_error(await self._lookup.find(draft.id)) from error
            raise

    async def _record_edit(
        self, draft: Experiment, kind: EditKind, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        await self._history.add(DraftEdit(draft.id, kind, before, after))


def _build_undo_values(draft: Experiment, changed: Sequence[Parameter]) -> dict[str, Any]:
    """Return the previous values of `changed`: each parameter as JSON, or None if it is new."""
    former = {item.key: item for item in draft.parameters}
    return {str(item.key): asdict(former[item.key]) if item.key in former else None for item in changed}


def _map_values(parameters: Sequence[Parameter]) -> dict[str, str]:
    return {str(item.key): item.value for item in parameters}
