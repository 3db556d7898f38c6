"""Which time zone a person means."""

from zoneinfo import ZoneInfo

import pytest

from clearml_chatops.models.errors import UnknownTimeZoneError
from clearml_chatops.services.notifications.time_zones import EXAMPLES, time_zone_named


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("utc", "UTC"),
        ("Istanbul", "Europe/Istanbul"),
        *((example, example) for example in EXAMPLES),
    ],
)
def test_case_does_not_matter_and_a_city_is_enough(text: str, zone: str) -> None:
    assert time_zone_named(text) == zone
    assert ZoneInfo(zone).key == zone


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("Berln", ["Europe/Berlin"]),
        ("europe/berln", ["Europe/Berlin"]),
        ("pacific/berlin", []),
        ("central", ["Canada/Central", "US/Central"]),
        ("../etc/passwd", []),
        ("", []),
    ],
)
def test_what_is_none_or_several_is_refused_with_the_nearest(text: str, offered: list[str]) -> None:
    with pytest.raises(UnknownTimeZoneError) as caught:
        time_zone_named(text)
    assert all(zone in str(caught.value) for zone in offered)
    assert "tz=Europe/Berlin" in str(caught.value)
