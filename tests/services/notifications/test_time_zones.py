"""Parsing of time zones."""

from zoneinfo import ZoneInfo

import pytest

from clearml_chatops.models.errors import UnknownTimeZoneError
from clearml_chatops.services.notifications.time_zones import EXAMPLES, parse_time_zone


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
def test_time_zone_is_case_insensitive_and_accepts_a_city(text: str, zone: str) -> None:
    assert parse_time_zone(text) == zone
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
def test_unknown_or_ambiguous_time_zone_offers_the_nearest(text: str, offered: list[str]) -> None:
    with pytest.raises(UnknownTimeZoneError) as caught:
        parse_time_zone(text)
    assert all(zone in str(caught.value) for zone in offered)
    assert "tz=Europe/Berlin" in str(caught.value)
