"""Filtering, ordering, paging and projecting documents, as all `get_all` endpoints do."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from clearml_chatops.sandbox.documents import MISSING, Document, generate_id, get_value_at
from clearml_chatops.sandbox.errors import UNKNOWN_FIELD, VALIDATION, ApiError
from clearml_chatops.sandbox.filters import Filters, build_conditions
from clearml_chatops.sandbox.state import State

MAX_PAGE_SIZE = 500


@dataclass(frozen=True)
class Schema:
    """What queries need to know about a collection."""

    fields: frozenset[str]
    filters: Filters = field(default_factory=Filters)
    references: Mapping[str, str] = field(default_factory=dict)
    """Fields that hold an id, with the collection it belongs to. The `_ex` endpoints expand them."""
    hidden: frozenset[str] = frozenset()
    """Fields that lists leave out unless they are requested."""


def find(state: State, documents: Mapping[str, Document], data: Document, schema: Schema) -> list[Document]:
    """Return the requested page of the matching documents, in the requested order."""
    return _select_page(state, _sort_documents(filter_documents(documents, data, schema.filters), data), data)


def filter_documents(documents: Mapping[str, Document], data: Document, filters: Filters) -> list[Document]:
    ids = data.get("id")
    candidates: Iterable[Document] = documents.values()
    if ids and all(isinstance(id_, str) and id_[:1] not in {"-", "_"} for id_ in _to_list(ids)):
        # by far the most frequent query: a few ids among thousands of tasks
        candidates = [documents[id_] for id_ in dict.fromkeys(_to_list(ids)) if id_ in documents]
        data = {name: value for name, value in data.items() if name != "id"}
    for condition in build_conditions(data, filters):
        candidates = [document for document in candidates if condition(document)]
    return list(candidates)


def select_fields(document: Document, data: Document, schema: Schema) -> Document:
    """Return the document with only the requested fields.

    Raises:
        ApiError: 400/14, the collection has no such field.
    """
    paths = parse_only_fields(data, schema)
    if not paths:
        return {name: value for name, value in document.items() if name not in schema.hidden}
    result: Document = {}
    for path in paths:
        _copy_value(document, result, path.split("."))
    return result


def expand_references(state: State, document: Document, data: Document, schema: Schema) -> Document:
    """Select fields like `select_fields`, with references as `{id}` documents and their requested fields."""
    result = select_fields(document, data, schema)
    requested_paths = parse_only_fields(data, schema)
    for path, collection in schema.references.items():
        nested_names = [name.removeprefix(f"{path}.") for name in requested_paths if name.startswith(f"{path}.")]
        id_ = get_value_at(document, path)
        if (
            id_ is MISSING
            or id_ is None
            or (requested_paths and not nested_names and get_value_at(result, path) is MISSING)
        ):
            continue
        target = _find_referenced(state, collection, id_)
        reference = {"id": id_}
        for name in nested_names:
            if name != "id":
                _copy_value(target, reference, name.split("."))
        _replace_value(result, path.split("."), reference)
    return result


def parse_only_fields(data: Document, schema: Schema) -> list[str]:
    paths = [str(path) for path in _to_list(data.get("only_fields") or data.get("projection") or [])]
    for path in paths:
        if path.split(".")[0] not in schema.fields:
            raise ApiError(
                UNKNOWN_FIELD,
                "probably an invalid field name or unsupported nested field",
                err=f'Cannot resolve field "{path}"',
            )
    return paths


def advance_scroll(state: State, data: Document, found: list[Document]) -> Document:
    """Advance the scroll by the number of documents found. Return the fields it adds to the answer."""
    if "scroll_id" not in data:
        return {}
    id_ = data.get("scroll_id") or generate_id()
    state.scroll_positions[id_] = state.scroll_positions.get(id_, 0) + len(found)
    return {"scroll_id": id_}


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _find_referenced(state: State, collection: str, id_: str) -> Document:
    if collection == "companies":
        return {"id": id_, "name": "clearml"}
    if collection == "users":
        user = state.users.get(id_)
        return {"id": id_, "name": user.name} if user else {"id": id_}
    documents: dict[str, Document] = getattr(state, collection)
    return documents.get(id_, {"id": id_})


def _replace_value(result: Document, steps: list[str], value: Document) -> None:
    """Set the value without changing the stored document, which shares its dictionaries with `result`."""
    for step in steps[:-1]:
        result[step] = dict(result.get(step) or {})
        result = result[step]
    result[steps[-1]] = value


def _copy_value(source: Document, target: Document, steps: list[str]) -> None:
    step, *rest = steps
    if step not in source:
        return
    value = source[step]
    if not rest:
        target[step] = value
    elif isinstance(value, dict):
        # the parent is in the answer even if the child is missing: {"runtime": {}}
        _copy_value(value, target.setdefault(step, {}), rest)


def _sort_documents(found: list[Document], data: Document) -> list[Document]:
    order = [str(name) for name in _to_list(data.get("order_by") or [])]
    if not order:
        return found
    if not {"id", "-id"} & set(order):
        order.append("id")
    for name in reversed(order):
        path = name.removeprefix("-")
        # parameter values are strings, which ClearML sorts as numbers
        numeric = path.startswith(("hyperparams.", "execution.parameters."))
        pairs = [(get_value_at(document, path), document) for document in found]
        present = [
            (_to_sort_key(value, numeric=numeric), document)
            for value, document in pairs
            if value is not MISSING and value is not None
        ]
        present.sort(key=itemgetter(0), reverse=name.startswith("-"))
        missing = [document for value, document in pairs if value is MISSING or value is None]
        found = [document for _, document in present] + missing
    return found


def _to_sort_key(value: Any, *, numeric: bool) -> tuple[str, Any]:
    """Return a value with the name of its type, to sort values of different types."""
    if numeric and isinstance(value, str):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, bool | int | float):
        return "", float(value)
    if isinstance(value, dict | list):
        return type(value).__name__, str(value)
    return type(value).__name__, value


def _select_page(state: State, found: list[Document], data: Document) -> list[Document]:
    if "scroll_id" in data:
        start = state.scroll_positions.get(data.get("scroll_id") or "", 0)
        size = data.get("size")
        if not isinstance(size, int) or size < 1:
            raise ApiError(
                VALIDATION,
                "Integer size parameter greater than 1 should be provided when working with scroll",
            )
        return found[start : start + size]
    page = int(data.get("page") or 0)
    size = int(data.get("page_size") or MAX_PAGE_SIZE)
    if page < 0:
        raise ApiError(VALIDATION, "page must be >=0", field="page")
    if size < 1:
        raise ApiError(VALIDATION, "page_size must be >0", field="page_size")
    size = min(size, MAX_PAGE_SIZE)
    return found[page * size : (page + 1) * size]
