"""Which time zone a person means."""

from collections import defaultdict
from functools import cache
from importlib import resources

from clearml_chatops.models.errors import UnknownTimeZoneError
from clearml_chatops.services.similar_names import did_you_mean, similar_names

EXAMPLES = ("Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Shanghai", "UTC")
_NO_ZONES = {"Factory", "localtime"}
_MOST_SUGGESTIONS = 3


def time_zone_named(text: str) -> str:
    """The zone's name as the tz database writes it. Case does not matter, and a city alone is enough if unique.

    Raises:
        UnknownTimeZoneError: there is none, or several cities are called so; the nearest names are offered.
    """
    wanted = "_".join(text.split()).casefold()
    names, cities = _names(), _cities()
    if wanted in names:
        return names[wanted]
    found = cities.get(wanted, [])
    if found and len({_rules(name) for name in found}) == 1:
        return found[0]
    nearest = found or _nearest(wanted)
    raise UnknownTimeZoneError(name=text, nearest=did_you_mean(nearest[:_MOST_SUGGESTIONS]))


def _nearest(wanted: str) -> list[str]:
    """Names like it, by the city or as a whole."""
    of_cities = [name for city in similar_names(wanted, _cities()) for name in _cities()[city]]
    whole = [_names()[name] for name in similar_names(wanted, _names())]
    return list(dict.fromkeys(whole + of_cities if "/" in wanted else of_cities + whole))


@cache
def _names() -> dict[str, str]:
    """The names by their small letters; from the package, so that they are the same on every machine."""
    lines = (resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in lines if name not in _NO_ZONES}


def _rules(name: str) -> bytes:
    """How its clocks go: Istanbul is in two continents, and one zone."""
    return resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


@cache
def _cities() -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in _names().values():
        if "/" in name and not name.startswith("Etc/"):
            found[name.rpartition("/")[2].casefold()].append(name)
    return dict(found)
