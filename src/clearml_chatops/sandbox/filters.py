"""The filters of `get_all` endpoints: conditions on documents, built from a request's fields."""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clearml_chatops.sandbox.documents import MISSING, Document, find_strings, get_value_at
from clearml_chatops.sandbox.errors import MALFORMED_REGEX, VALIDATION, ApiError

Condition = Callable[[Document], bool]

_COMPARISON = re.compile(r"(?P<operator>>=|>|<=|<)?(?P<date>.*)", re.DOTALL)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_COMBINERS: dict[str, Callable[[Iterable[bool]], bool]] = {
    "__$all": all,
    "__$and": all,
    "__$any": any,
    "__$or": any,
}


@dataclass(frozen=True)
class Filters:
    """The fields that a collection can be filtered by, and how. A trailing `*` matches any ending."""

    patterns: tuple[str, ...] = ("name",)
    """Regular expressions, found anywhere in the text, case-sensitive."""
    lists: tuple[str, ...] = ("id", "tags", "system_tags")
    """One or several values, with ClearML's `__$not` and `-` for exclusion."""
    dates: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    full_text: tuple[str, ...] = ("name", "id")
    """The fields that `search_text` searches."""


def build_conditions(data: Document, filters: Filters) -> list[Condition]:
    """Return the conditions of a request's fields. Other fields are ignored, as on the real server."""
    builders: tuple[tuple[tuple[str, ...], Callable[[str, Any], Condition]], ...] = (
        (filters.patterns, _build_pattern_condition),
        (filters.lists, _build_list_condition),
        (filters.dates, _build_date_condition),
        (filters.ranges, _build_range_condition),
        (filters.exact, _build_equality_condition),
    )
    result: list[Condition] = []
    for name, value in data.items():
        if value is None or value == "":
            continue
        for fields, build in builders:
            if any(_is_field_name(name, field) for field in fields):
                result.append(build(name, value))
                break
    for name, combine in (("_any_", any), ("_or_", any), ("_all_", all), ("_and_", all)):
        if data.get(name):
            result.append(_build_multi_field_condition(data[name], combine))
    if data.get("search_text"):
        result.append(_build_search_condition(filters.full_text, str(data["search_text"])))
    return result


def compile_pattern(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Return the compiled pattern.

    Raises:
        ApiError: 400/21, it isn't a regular expression.
    """
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise ApiError(MALFORMED_REGEX, err=error, extra_info=None) from None


def parse_date(text: str) -> datetime | None:
    """Return a date of a request (UTC unless it has a time zone), or None if it isn't a date."""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _is_field_name(name: str, field: str) -> bool:
    return name.startswith(field[:-1]) if field.endswith("*") else name == field


def _build_pattern_condition(field: str, pattern: Any) -> Condition:
    search = compile_pattern(str(pattern)).search
    return lambda document: any(search(text) for text in find_strings(get_value_at(document, field)))


def _build_multi_field_condition(value: Any, combine: Callable[[Iterable[bool]], bool]) -> Condition:
    if not isinstance(value, dict) or not value.get("fields") or value.get("pattern") is None:
        raise ApiError(VALIDATION, "error for field '_any_': fields and pattern are required")
    search = compile_pattern(str(value["pattern"]), re.IGNORECASE).search
    fields = [str(field) for field in value["fields"]]
    return lambda document: combine(
        any(search(text) for text in find_strings(get_value_at(document, field))) for field in fields
    )


def _build_search_condition(fields: tuple[str, ...], query: str) -> Condition:
    words = query.lower().split()

    def matches(document: Document) -> bool:
        text = "\n".join(text for field in fields for text in find_strings(get_value_at(document, field))).lower()
        return any(word in text for word in words)

    return matches


def _build_equality_condition(field: str, value: Any) -> Condition:
    return lambda document: bool(get_value_at(document, field) == value)


def _build_range_condition(field: str, value: Any) -> Condition:
    """Build a condition for a value between two bounds, both included. Without a lower one, none is fine, too."""
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004
        raise ApiError(VALIDATION, f"Min and max values should be specified for range field {field}")
    low, high = value
    if low is None and high is None:
        raise ApiError(VALIDATION, f"At least one of min or max values should be provided for field {field}")

    def matches(document: Document) -> bool:
        actual = get_value_at(document, field)
        if actual is MISSING or actual is None:
            return low is None
        return (low is None or actual >= low) and (high is None or actual <= high)

    return matches


def _build_date_condition(field: str, value: Any) -> Condition:
    expressions = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
    if len(expressions) == 2 and not any(item.startswith((">", "<")) for item in expressions):  # noqa: PLR2004
        expressions = [f">={expressions[0]}", f"<={expressions[1]}"]
    comparisons: list[tuple[Callable[[Any, Any], bool], datetime]] = []
    for item in expressions:
        match = _COMPARISON.fullmatch(item)
        limit = parse_date(match["date"]) if match else None
        # the real server ignores a limit that isn't a date
        if match and limit:
            comparisons.append((_OPERATORS[match["operator"] or ""], limit))
    if not comparisons:
        return lambda _: True

    def matches(document: Document) -> bool:
        actual = document.get(field)
        if actual is None:
            return False
        for compare, limit in comparisons:  # noqa: SIM110 - a generator costs more than the comparison
            if not compare(actual, limit):
                return False
        return True

    return matches


def _build_list_condition(field: str, value: Any) -> Condition:
    """Build a condition in ClearML's list syntax: any (after `__$all`: all) of the values present or absent."""
    combine: Callable[[Iterable[bool]], bool] | None = None
    group_combine: Callable[[Iterable[bool]], bool] = any
    excludes_next = False
    accepts_empty = False
    groups: dict[tuple[Callable[[Iterable[bool]], bool], bool], list[Any]] = {}
    for item in value if isinstance(value, list) else [value]:
        if item is None:
            accepts_empty = True
        elif item in _COMBINERS:
            group_combine = _COMBINERS[item]
            combine = combine or group_combine
        elif item in {"__$not", "__$nop"}:
            excludes_next = item == "__$not"
        else:
            has_minus = isinstance(item, str) and item.startswith("-")
            groups.setdefault((group_combine, excludes_next or has_minus), []).append(
                item[1:] if has_minus else item
            )
            excludes_next = False
            combine = combine or any

    def matches(document: Document) -> bool:
        if not groups and not accepts_empty:
            # an empty list filters nothing, as on the real server
            return True
        actual = get_value_at(document, field)
        if actual is MISSING or actual is None or actual == []:
            if accepts_empty:
                return True
            actual = []
        elif not isinstance(actual, list):
            actual = [actual]
        group_results = (
            mode(item in actual for item in items) != negated for (mode, negated), items in groups.items()
        )
        return bool(groups) and (combine or any)(group_results)

    return matches
