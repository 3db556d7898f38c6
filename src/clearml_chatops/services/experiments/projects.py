"""Lookup of projects by name or part of a name."""

from collections.abc import Iterable, Mapping

from clearml_chatops.models.errors import ProjectNotFoundError
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion


async def find_projects(clearml: ClearML, name: str, *, include_hidden: bool = False) -> dict[str, str]:
    """Return the ids of the projects with `name` in their name, by name. One request.

    Raises:
        ProjectNotFoundError: there is none. The error contains similar names, which cost a second request.
    """
    found = await clearml.find_projects(name, include_hidden=include_hidden)
    if not found:
        nearest = _find_nearest_names(name, await clearml.find_projects("", include_hidden=include_hidden))
        raise ProjectNotFoundError(name=name, nearest=format_suggestion(nearest), suggestions=nearest)
    return found


def prefer_exact_name(name: str, found: Mapping[str, str]) -> dict[str, str]:
    """Return the found project with exactly this name, ignoring case, or else all found projects."""
    exact = {known: known_id for known, known_id in found.items() if known.casefold() == name.casefold()}
    return exact or dict(found)


def select_topmost(found: Mapping[str, str]) -> dict[str, str]:
    """Return the projects that are not subprojects of another found one."""
    subprojects = {name for name in found if any(name.startswith(f"{other}/") for other in found)}
    return {name: project_id for name, project_id in found.items() if name not in subprojects}


def _find_nearest_names(typed: str, names: Iterable[str]) -> list[str]:
    """Return the names that are similar as a whole or in the last part of their path."""
    paths = {part: name for name in names for part in (name.rpartition("/")[2], name)}
    return list(dict.fromkeys(paths[part] for part in find_similar_names(typed, paths)))
