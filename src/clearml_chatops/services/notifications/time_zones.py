"""Parses the time zones that people type."""

from collections import defaultdict
from functools import cache
from importlib import resources

from clearml_chatops.models.errors import UnknownTimeZoneError
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

EXAMPLES = ("Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Shanghai", "UTC")
_EXCLUDED_ZONES = {"Factory", "localtime"}
_MAX_SUGGESTIONS = 3


def parse_time_zone(text: str) -> str:
    """Return the zone's name in the tz database. Case does not matter, and a city is enough if unique.

    Raises:
        UnknownTimeZoneError: no zone or several match; the error suggests the nearest names.
    """
    key = "_".join(text.split()).casefold()
    names, cities = _load_names(), _group_by_city()
    if key in names:
        return names[key]
    found = cities.get(key, [])
    if found and len({_read_rules(name) for name in found}) == 1:
        return found[0]
    nearest = found or _find_nearest(key)
    raise UnknownTimeZoneError(name=text, nearest=format_suggestion(nearest[:_MAX_SUGGESTIONS]))


def _find_nearest(key: str) -> list[str]:
    """Return similar zone names, compared by city or as a whole."""
    by_city = [name for city in find_similar_names(key, _group_by_city()) for name in _group_by_city()[city]]
    by_name = [_load_names()[name] for name in find_similar_names(key, _load_names())]
    return list(dict.fromkeys(by_name + by_city if "/" in key else by_city + by_name))


@cache
def _load_names() -> dict[str, str]:
    """Return the names by their lower case form; from the tzdata package, so that all machines agree."""
    lines = (resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in lines if name not in _EXCLUDED_ZONES}


def _read_rules(name: str) -> bytes:
    """Return the rules of a zone, to compare aliases such as Asia/Istanbul and Europe/Istanbul."""
    return resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


@cache
def _group_by_city() -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in _load_names().values():
        if "/" in name and not name.startswith("Etc/"):
            found[name.rpartition("/")[2].casefold()].append(name)
    return dict(found)
