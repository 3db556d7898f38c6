"""Finding, ordering, paging and projecting documents, as every `get_all` of the API does it."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from clearml_chatops.sandbox.conditions import Filters, conditions
from clearml_chatops.sandbox.documents import MISSING, Document, new_id, value_at
from clearml_chatops.sandbox.errors import UNKNOWN_FIELD, VALIDATION, ApiError
from clearml_chatops.sandbox.state import State

LARGEST_PAGE = 500


@dataclass(frozen=True)
class Schema:
    """What the queries need to know of one collection."""

    fields: frozenset[str]
    filters: Filters = field(default_factory=Filters)
    references: Mapping[str, str] = field(default_factory=dict)
    """Fields that hold an id, with the collection that it is of; the `_ex` calls expand them."""
    hidden: frozenset[str] = frozenset()
    """Fields that a list leaves out unless they are asked for."""


def find(state: State, documents: Mapping[str, Document], data: Document, schema: Schema) -> list[Document]:
    """The documents that a request asks for, in its order, cut to its page."""
    return _page(state, _ordered(matching(documents, data, schema.filters), data), data)


def matching(documents: Mapping[str, Document], data: Document, filters: Filters) -> list[Document]:
    ids = data.get("id")
    candidates: Iterable[Document] = documents.values()
    if ids and all(isinstance(id_, str) and id_[:1] not in {"-", "_"} for id_ in _listed(ids)):
        # by far the most frequent query: a few ids among thousands of tasks
        candidates = [documents[id_] for id_ in dict.fromkeys(_listed(ids)) if id_ in documents]
        data = {name: value for name, value in data.items() if name != "id"}
    for condition in conditions(data, filters):
        candidates = [document for document in candidates if condition(document)]
    return list(candidates)


def projected(document: Document, data: Document, schema: Schema) -> Document:
    """The document with only the fields asked for.

    Raises:
        ApiError: 400/14, a field is none of the collection.
    """
    wanted = only_fields(data, schema)
    if not wanted:
        return {name: value for name, value in document.items() if name not in schema.hidden}
    result: Document = {}
    for path in wanted:
        _copy(document, result, path.split("."))
    return result


def expanded(state: State, document: Document, data: Document, schema: Schema) -> Document:
    """As `projected`, with references as `{id}` documents, and the fields asked of what they refer to."""
    result = projected(document, data, schema)
    wanted = only_fields(data, schema)
    for path, collection in schema.references.items():
        inner = [name.removeprefix(f"{path}.") for name in wanted if name.startswith(f"{path}.")]
        id_ = value_at(document, path)
        if id_ is MISSING or id_ is None or (wanted and not inner and value_at(result, path) is MISSING):
            continue
        target = _referred(state, collection, id_)
        entry = {"id": id_}
        for name in inner:
            if name != "id":
                _copy(target, entry, name.split("."))
        _replace(result, path.split("."), entry)
    return result


def only_fields(data: Document, schema: Schema) -> list[str]:
    wanted = [str(path) for path in _listed(data.get("only_fields") or data.get("projection") or [])]
    for path in wanted:
        if path.split(".")[0] not in schema.fields:
            raise ApiError(
                UNKNOWN_FIELD,
                "probably an invalid field name or unsupported nested field",
                err=f'Cannot resolve field "{path}"',
            )
    return wanted


def scroll(state: State, data: Document, found: list[Document]) -> Document:
    """Moves the scroll on by what was found; the fields that the answer gets for it."""
    if "scroll_id" not in data:
        return {}
    id_ = data.get("scroll_id") or new_id()
    state.scrolls[id_] = state.scrolls.get(id_, 0) + len(found)
    return {"scroll_id": id_}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _referred(state: State, collection: str, id_: str) -> Document:
    if collection == "companies":
        return {"id": id_, "name": "clearml"}
    if collection == "users":
        user = state.users.get(id_)
        return {"id": id_, "name": user.name} if user else {"id": id_}
    documents: dict[str, Document] = getattr(state, collection)
    return documents.get(id_, {"id": id_})


def _replace(result: Document, steps: list[str], entry: Document) -> None:
    """Sets the value without touching the stored document that `result` shares its dictionaries with."""
    for step in steps[:-1]:
        result[step] = dict(result.get(step) or {})
        result = result[step]
    result[steps[-1]] = entry


def _copy(source: Document, target: Document, steps: list[str]) -> None:
    step, *rest = steps
    if step not in source:
        return
    value = source[step]
    if not rest:
        target[step] = value
    elif isinstance(value, dict):
        # the parent is answered even where the child is missing: {"runtime": {}}
        _copy(value, target.setdefault(step, {}), rest)


def _ordered(found: list[Document], data: Document) -> list[Document]:
    order = [str(name) for name in _listed(data.get("order_by") or [])]
    if not order:
        return found
    if not {"id", "-id"} & set(order):
        order.append("id")
    for name in reversed(order):
        path = name.removeprefix("-")
        # parameters are texts, which ClearML orders by the number they spell
        numeric = path.startswith(("hyperparams.", "execution.parameters."))
        valued = [(value_at(document, path), document) for document in found]
        present = [
            (_sortable(value, numeric=numeric), document)
            for value, document in valued
            if value is not MISSING and value is not None
        ]
        present.sort(key=itemgetter(0), reverse=name.startswith("-"))
        missing = [document for value, document in valued if value is MISSING or value is None]
        found = [document for _, document in present] + missing
    return found


def _sortable(value: Any, *, numeric: bool) -> tuple[str, Any]:
    """A value with the name of its type, so that values of several types can be ordered."""
    if numeric and isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, bool | int | float):
        return "", float(value)
    if isinstance(value, dict | list):
        return type(value).__name__, str(value)
    return type(value).__name__, value


def _page(state: State, found: list[Document], data: Document) -> list[Document]:
    if "scroll_id" in data:
        start = state.scrolls.get(data.get("scroll_id") or "", 0)
        size = data.get("size")
        if not isinstance(size, int) or size < 1:
            raise ApiError(
                VALIDATION,
                "Integer size parameter greater than 1 should be provided when working with scroll",
            )
        return found[start : start + size]
    page = int(data.get("page") or 0)
    size = int(data.get("page_size") or LARGEST_PAGE)
    if page < 0:
        raise ApiError(VALIDATION, "page must be >=0", field="page")
    if size < 1:
        raise ApiError(VALIDATION, "page_size must be >0", field="page_size")
    size = min(size, LARGEST_PAGE)
    return found[page * size : (page + 1) * size]
