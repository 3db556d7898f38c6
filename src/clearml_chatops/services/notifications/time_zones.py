"""Which time zone a person means."""

from collections import defaultdict
from functools import cache
from importlib import resources

from clearml_chatops.models.errors import UnknownTimeZoneError
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

EXAMPLES = ("Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Shanghai", "UTC")
_EXCLUDED_ZONES = {"Factory", "localtime"}
_MAX_SUGGESTIONS = 3


def parse_time_zone(text: str) -> str:
    """The zone's name as the tz database writes it. Case does not matter, and a city alone is enough if unique.

    Raises:
        UnknownTimeZoneError: there is none, or several cities are called so; the nearest names are offered.
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
    """Names like it, by the city or as a whole."""
    by_city = [name for city in find_similar_names(key, _group_by_city()) for name in _group_by_city()[city]]
    by_name = [_load_names()[name] for name in find_similar_names(key, _load_names())]
    return list(dict.fromkeys(by_name + by_city if "/" in key else by_city + by_name))


@cache
def _load_names() -> dict[str, str]:
    """The names by their small letters; from the package, so that they are the same on every machine."""
    lines = (resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in lines if name not in _EXCLUDED_ZONES}


def _read_rules(name: str) -> bytes:
    """How its clocks go: Istanbul is in two continents, and one zone."""
    return resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


@cache
def _group_by_city() -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in _load_names().values():
        if "/" in name and not name.startswith("Etc/"):
            found[name.rpartition("/")[2].casefold()].append(name)
    return dict(found)
