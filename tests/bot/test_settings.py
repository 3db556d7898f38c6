"""The settings: their sources, and the errors for wrong ones."""

import getpass
import json
import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.settings import PersonSettings, Settings, read_settings
from clearml_chatops.models.alarms import AlarmThresholds
from clearml_chatops.models.errors import SettingsError

_FAKE_SECRET = "s3cr3t-w0rd"


@pytest.fixture(autouse=True)
def _change_to_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _write_settings_file(text: str) -> Path:
    path = Path("clearml-chatops.toml")
    path.write_text(text, encoding="utf-8")
    return path


def _read_refused_settings() -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_settings()
    error = caught.value
    assert "\n" not in str(error)
    for shown in (str(error), repr(error), "".join(traceback.format_exception(error))):
        assert _FAKE_SECRET not in shown
    return error


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.clearml_api_host == ""
    assert settings.data_folder == tmp_path / ".local" / "share" / "clearml-chatops"
    assert settings.effective_database_url == f"sqlite:///{settings.data_folder / 'chatops.db'}"
    assert settings.poll_interval == timedelta(seconds=2)
    assert settings.alert_interval == timedelta(seconds=10)
    assert settings.alarm_thresholds == AlarmThresholds(
        timedelta(minutes=10), timedelta(minutes=30), timedelta(minutes=10)
    )
    assert settings.log_level == "WARNING"
    assert settings.host
    assert settings.user == getpass.getuser()


def test_the_environment_overrides_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    _write_settings_file('CHATOPS_HOST = "file"\nCHATOPS_USER = "file"\nCHATOPS_WATCH_SECONDS = 5')
    monkeypatch.setenv("CHATOPS_HOST", "environment")
    settings = read_settings()
    assert (settings.host, settings.user, settings.poll_seconds) == ("environment", "file", 5)


def test_chatops_settings_names_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _write_settings_file('CHATOPS_HOST = "default"').rename(tmp_path / "mine.toml")
    _write_settings_file('CHATOPS_USER = "not read"')
    monkeypatch.setenv("CHATOPS_SETTINGS", str(tmp_path / "mine.toml"))
    settings = read_settings()
    assert settings.host == "default"
    assert settings.user != "not read"


def test_the_data_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert read_settings().data_folder == tmp_path / "xdg" / "clearml-chatops"
    monkeypatch.setenv("CHATOPS_DATA", str(tmp_path / "own"))
    assert read_settings().data_folder == tmp_path / "own"


def test_database_url_is_used_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot@db/chatops")
    assert read_settings().effective_database_url == "postgresql://bot@db/chatops"


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("http://clearml.example:8008", "http://clearml.example:8008"),
        ("https://clearml.example/api/", "https://clearml.example/api"),
        ("http://[::1]:8008/", "http://[::1]:8008"),
        ("", ""),
    ],
)
def test_an_address_loses_its_trailing_slash(typed: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_HOST", typed)
    assert read_settings().clearml_api_host == host


@pytest.mark.parametrize(
    "typed",
    ["clearml.example:8008", "ftp://clearml.example", "http://", "http://host:port", "http://[::1", "8008"],
)
@pytest.mark.parametrize("name", ["CLEARML_API_HOST", "CLEARML_WEB_HOST"])
def test_an_invalid_address_is_refused_with_an_example(
    name: str, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, typed)
    assert str(_read_refused_settings()) == (
        f"{name}: not a web address. Start it with http:// or https://, as in http://clearml.example:8008."
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
def test_an_invalid_value_is_refused_by_its_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    error = _read_refused_settings()
    assert error.values["name"] == name
    assert str(error).startswith(f"{name}: ")


def test_a_log_level_is_case_insensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_LOG_LEVEL", "debug")
    assert read_settings().log_level == "DEBUG"
    monkeypatch.setenv("CHATOPS_LOG_LEVEL", "loud")
    assert str(_read_refused_settings()).startswith(
        "CHATOPS_LOG_LEVEL: not a log level. Use one of CRITICAL, DEBUG, ERROR"
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('CLEARML_API_HSOT = "http://x"', "CLEARML_API_HSOT"),
        ('host = "lab"', "host"),
        ("[clearml]\napi_host = 'http://x'", "clearml"),
        (f'SECRET = "{_FAKE_SECRET}"', "SECRET"),
    ],
)
def test_an_unknown_name_in_the_file_is_refused_by_its_name(text: str, name: str) -> None:
    _write_settings_file(text)
    assert str(_read_refused_settings()) == f"{name}: no such setting. See the table in docs/settings.md."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('CHATOPS_LOG_LEVEL = ["DEBUG"]', "CHATOPS_LOG_LEVEL"),
        ("CHATOPS_LOG_LEVEL = 10", "CHATOPS_LOG_LEVEL"),
        ("CLEARML_API_HOST = 8008", "CLEARML_API_HOST"),
        ("CHATOPS_DATA = 1", "CHATOPS_DATA"),
        (f'CLEARML_API_SECRET_KEY = ["{_FAKE_SECRET}"]', "CLEARML_API_SECRET_KEY"),
        (f'DATABASE_URL = {{ password = "{_FAKE_SECRET}" }}', "DATABASE_URL"),
    ],
)
def test_a_value_of_the_wrong_type_in_the_file_is_refused_by_its_name(text: str, name: str) -> None:
    _write_settings_file(text)
    assert _read_refused_settings().values["name"] == name


def test_a_broken_file_is_refused_with_the_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _write_settings_file(f'CHATOPS_HOST = "lab"\nCLEARML_API_SECRET_KEY = {_FAKE_SECRET}\n')
    error = _read_refused_settings()
    assert error.values["name"] == path.name
    assert "line 2" in str(error)
    path.write_bytes(b"CHATOPS_HOST = '\xff\xfe'")
    assert _read_refused_settings().values["name"] == path.name


@pytest.mark.parametrize("settings_path", ["no-such-file.toml", "."])
def test_a_missing_settings_file_is_refused(settings_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_settings_file('CHATOPS_HOST = "lab"')
    monkeypatch.setenv("CHATOPS_SETTINGS", settings_path)
    error = _read_refused_settings()
    assert error.values["name"] == "CHATOPS_SETTINGS"
    assert f"there's no file {settings_path}" in str(error)


def test_a_missing_user_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    assert _read_refused_settings().values["name"] == "CHATOPS_USER"
    monkeypatch.setenv("CHATOPS_USER", "alice")
    assert read_settings().user == "alice"


def test_a_missing_home_folder_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    monkeypatch.setenv("CHATOPS_USER", "alice")
    assert _read_refused_settings().values["name"] == "CHATOPS_DATA"
    monkeypatch.setenv("CHATOPS_DATA", str(tmp_path))
    assert read_settings().data_folder == tmp_path


def test_secrets_are_not_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", _FAKE_SECRET)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://bot:{_FAKE_SECRET}@db/chatops")
    settings = read_settings()
    assert settings.clearml_api_secret_key.get_secret_value() == _FAKE_SECRET
    for representation in (repr(settings), str(settings)):
        assert _FAKE_SECRET not in representation


def test_an_error_never_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEARML_API_SECRET_KEY", _FAKE_SECRET)
    monkeypatch.setenv("CLEARML_API_HOST", _FAKE_SECRET)
    monkeypatch.setenv("CHATOPS_WATCH_SECONDS", _FAKE_SECRET)
    _read_refused_settings()


def test_every_setting_has_an_environment_name() -> None:
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
def test_an_identity_may_be_written_as_the_bot_shows_it(slack: str, telegram: str) -> None:
    person = PersonSettings(name="Alice", slack=slack, telegram=telegram).to_person()
    assert [str(identity) for identity in person.identities] == ["slack:T0001:U0001", "telegram:100200300"]


@pytest.mark.parametrize(
    "wrong", [{"slack": "U0001"}, {"telegram": "@alice"}, {"role": "owner"}, {"name": ""}, {"slak": "T1/U1"}]
)
def test_an_invalid_person_is_refused_as_chatops_people(
    wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATOPS_PEOPLE", json.dumps([{"name": "Alice", **wrong}]))
    with pytest.raises(SettingsError, match=r"^CHATOPS_PEOPLE: "):
        read_settings()


def test_each_alarm_has_its_threshold_and_zero_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, minutes in (("PENDING", "0"), ("SILENCE", "0.5"), ("WORKER", "90")):
        monkeypatch.setenv(f"CHATOPS_{name}_ALARM_MINUTES", minutes)
    thresholds = AlarmThresholds(timedelta(0), timedelta(seconds=30), timedelta(minutes=90))
    assert read_settings().alarm_thresholds == thresholds
    monkeypatch.setenv("CHATOPS_WORKER_ALARM_MINUTES", "-1")
    assert "CHATOPS_WORKER_ALARM_MINUTES" in str(_read_refused_settings())
