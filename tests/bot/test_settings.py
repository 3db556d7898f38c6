"""The settings: where they come from, and what is said of a wrong one."""

import getpass
import json
import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.settings import PersonSettings, Settings, read_settings
from clearml_chatops.models.alarms import AlarmSpans
from clearml_chatops.models.errors import SettingsError

_KEY_LIKE = "s3cr3t-w0rd"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _toml(text: str) -> Path:
    path = Path("clearml-chatops.toml")
    path.write_text(text, encoding="utf-8")
    return path


def _refused() -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_settings()
    error = caught.value
    assert "\n" not in str(error)
    for shown in (str(error), repr(error), "".join(traceback.format_exception(error))):
        assert _KEY_LIKE not in shown
    return error


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.clearml_api_host == ""
    assert settings.data == tmp_path / ".local" / "share" / "clearml-chatops"
    assert settings.database == f"sqlite:///{settings.data / 'chatops.db'}"
    assert settings.watch_interval == timedelta(seconds=2)
    assert settings.alert_interval == timedelta(seconds=10)
    assert settings.alarm_spans == AlarmSpans(timedelta(minutes=10), timedelta(minutes=30), timedelta(minutes=10))
    assert settings.log_level == "WARNING"
    assert settings.host
    assert settings.user == getpass.getuser()


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    _toml('CHATOPS_HOST = "file"\nCHATOPS_USER = "file"\nCHATOPS_WATCH_SECONDS = 5')
    monkeypatch.setenv("CHATOPS_HOST", "environment")
    settings = read_settings()
    assert (settings.host, settings.user, settings.watch_seconds) == ("environment", "file", 5)


def test_a_file_of_another_name_is_read_where_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _toml('CHATOPS_HOST = "default"').rename(tmp_path / "mine.toml")
    _toml('CHATOPS_USER = "not read"')
    monkeypatch.setenv("CHATOPS_SETTINGS", str(tmp_path / "mine.toml"))
    settings = read_settings()
    assert settings.host == "default"
    assert settings.user != "not read"


def test_the_data_folder_follows_the_desktops_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert read_settings().data == tmp_path / "xdg" / "clearml-chatops"
    monkeypatch.setenv("CHATOPS_DATA", str(tmp_path / "own"))
    assert read_settings().data == tmp_path / "own"


def test_an_own_database_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot@db/chatops")
    assert read_settings().database == "postgresql://bot@db/chatops"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("http://clearml.example:8008", "http://clearml.example:8008"),
        ("https://clearml.example/api/", "https://clearml.example/api"),
        ("http://[::1]:8008/", "http://[::1]:8008"),
        ("", ""),
    ],
)
def test_an_address_is_taken_without_the_slash_at_its_end(
    typed: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARML_API_HOST", typed)
    assert read_settings().clearml_api_host == host


@pytest.mark.parametrize(
    "typed",
    ["clearml.example:8008", "ftp://clearml.example", "http://", "http://host:port", "http://[::1", "8008"],
)
@pytest.mark.parametrize("name", ["CLEARML_API_HOST", "CLEARML_WEB_HOST"])
def test_an_address_that_is_none_is_refused_with_how_to_write_one(
    name: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, typed)
    assert str(_refused()) == (
        f"{name}: write it with http:// or https:// before, like http://clearml.example:8008."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHATOPS_WATCH_SECONDS", "soon"),
        ("CHATOPS_WATCH_SECONDS", "0"),
        ("CHATOPS_WATCH_SECONDS", "-1"),
        ("CHATOPS_WATCH_SECONDS", "3601"),
        ("CHATOPS_WATCH_SECONDS", "nan"),
        ("CHATOPS_HOST", ""),
        ("CHATOPS_USER", ""),
    ],
)
def test_a_bad_value_stops_the_program_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    error = _refused()
    assert error.values["name"] == name
    assert str(error).startswith(f"{name}: ")


def test_a_log_level_is_one_of_those_there_are_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_LOG_LEVEL", "debug")
    assert read_settings().log_level == "DEBUG"
    monkeypatch.setenv("CHATOPS_LOG_LEVEL", "loud")
    assert str(_refused()).startswith("CHATOPS_LOG_LEVEL: use one of CRITICAL, DEBUG, ERROR")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('CLEARML_API_HSOT = "http://x"', "CLEARML_API_HSOT"),
        ('host = "lab"', "host"),
        ("[clearml]\napi_host = 'http://x'", "clearml"),
        (f'SECRET = "{_KEY_LIKE}"', "SECRET"),
    ],
)
def test_an_unknown_name_in_the_file_is_refused_by_its_name(text: str, name: str) -> None:
    _toml(text)
    assert str(_refused()) == f"{name}: there is no such setting; README.md has the table."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('CHATOPS_LOG_LEVEL = ["DEBUG"]', "CHATOPS_LOG_LEVEL"),
        ("CHATOPS_LOG_LEVEL = 10", "CHATOPS_LOG_LEVEL"),
        ("CLEARML_API_HOST = 8008", "CLEARML_API_HOST"),
        ("CHATOPS_DATA = 1", "CHATOPS_DATA"),
        (f'CLEARML_API_SECRET_KEY = ["{_KEY_LIKE}"]', "CLEARML_API_SECRET_KEY"),
        (f'DATABASE_URL = {{ password = "{_KEY_LIKE}" }}', "DATABASE_URL"),
    ],
)
def test_a_value_of_the_wrong_type_in_the_file_is_refused_by_its_name(text: str, name: str) -> None:
    _toml(text)
    assert _refused().values["name"] == name


def test_a_broken_file_is_refused_with_the_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _toml(f'CHATOPS_HOST = "lab"\nCLEARML_API_SECRET_KEY = {_KEY_LIKE}\n')
    error = _refused()
    assert error.values["name"] == path.name
    assert "line 2" in str(error)
    path.write_bytes(b"CHATOPS_HOST = '\xff\xfe'")
    assert _refused().values["name"] == path.name


@pytest.mark.parametrize("named", ["no-such-file.toml", "."])
def test_a_named_file_that_is_none_is_refused_and_not_passed_over(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _toml('CHATOPS_HOST = "lab"')
    monkeypatch.setenv("CHATOPS_SETTINGS", named)
    error = _refused()
    assert error.values["name"] == "CHATOPS_SETTINGS"
    assert f"there is no file {named}" in str(error)


def test_a_user_without_a_name_is_asked_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    assert _refused().values["name"] == "CHATOPS_USER"
    monkeypatch.setenv("CHATOPS_USER", "alice")
    assert read_settings().user == "alice"


def test_a_user_without_a_home_is_asked_for_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    monkeypatch.setenv("CHATOPS_USER", "alice")
    assert _refused().values["name"] == "CHATOPS_DATA"
    monkeypatch.setenv("CHATOPS_DATA", str(tmp_path))
    assert read_settings().data == tmp_path


def test_what_is_secret_is_in_no_picture_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", _KEY_LIKE)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://bot:{_KEY_LIKE}@db/chatops")
    settings = read_settings()
    assert settings.clearml_api_secret_key.get_secret_value() == _KEY_LIKE
    for picture in (repr(settings), str(settings)):
        assert _KEY_LIKE not in picture


def test_a_wrong_setting_tells_nothing_of_a_secret_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", _KEY_LIKE)
    monkeypatch.setenv("CLEARML_API_HOST", _KEY_LIKE)
    monkeypatch.setenv("CHATOPS_WATCH_SECONDS", _KEY_LIKE)
    _refused()


def test_every_setting_has_the_name_that_people_write() -> None:
    aliases = {field.alias for field in Settings.model_fields.values()}
    assert aliases >= {
        "CLEARML_API_HOST",
        "CLEARML_WEB_HOST",
        "CLEARML_API_ACCESS_KEY",
        "CLEARML_API_SECRET_KEY",
        "DATABASE_URL",
    }
    assert all(alias and alias.isupper() for alias in aliases)


@pytest.mark.parametrize("slack", ["slack:T0001:U0001", "T0001/U0001", "T0001:U0001"])
@pytest.mark.parametrize("telegram", ["telegram:100200300", "100200300"])
def test_an_identity_may_be_written_as_the_bot_tells_it(slack: str, telegram: str) -> None:
    person = PersonSettings(name="Alice", slack=slack, telegram=telegram).to_person()
    assert [str(identity) for identity in person.identities] == ["slack:T0001:U0001", "telegram:100200300"]


@pytest.mark.parametrize(
    "wrong", [{"slack": "U0001"}, {"telegram": "@alice"}, {"role": "owner"}, {"name": ""}, {"slak": "T1/U1"}]
)
def test_a_person_written_wrong_is_refused_by_the_name_of_the_setting(
    wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATOPS_PEOPLE", json.dumps([{"name": "Alice", **wrong}]))
    with pytest.raises(SettingsError, match=r"^CHATOPS_PEOPLE: "):
        read_settings()


def test_each_alarm_has_a_span_of_its_own_and_zero_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, minutes in (("PENDING", "0"), ("SILENCE", "0.5"), ("WORKER", "90")):
        monkeypatch.setenv(f"CHATOPS_{name}_ALARM_MINUTES", minutes)
    spans = AlarmSpans(timedelta(0), timedelta(seconds=30), timedelta(minutes=90))
    assert read_settings().alarm_spans == spans
    monkeypatch.setenv("CHATOPS_WORKER_ALARM_MINUTES", "-1")
    assert "CHATOPS_WORKER_ALARM_MINUTES" in str(_refused())
