"""The settings: environment variables, or the same names in a TOML file."""

import getpass
import logging
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from clearml_chatops.models.alarms import AlarmThresholds
from clearml_chatops.models.errors import SettingsError
from clearml_chatops.models.people import ConfiguredPerson, Identity, Role

SETTINGS_FILE_VARIABLE = "CHATOPS_SETTINGS"
DEFAULT_SETTINGS_FILE = Path("clearml-chatops.toml")


def _normalize_address(value: object) -> object:
    if not isinstance(value, str) or not value:
        return value
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        message = "not a web address. Start it with http:// or https://, as in http://clearml.example:8008"
        raise ValueError(message)
    return value.rstrip("/")


def _normalize_log_level(value: object) -> object:
    levels = logging.getLevelNamesMapping()
    if not isinstance(value, str) or value.upper() not in levels:
        message = f"not a log level. Use one of {', '.join(sorted(levels))}"
        raise ValueError(message)
    return value.upper()


Address = Annotated[str, BeforeValidator(_normalize_address)]


def get_default_data_folder() -> Path:
    """Return the default data folder, by the XDG base directory rules. Raises SettingsError."""
    try:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    except RuntimeError:
        raise SettingsError(
            name="CHATOPS_DATA", reason="not set, and there's no home folder. Set it to a folder."
        ) from None
    return Path(base) / "clearml-chatops"


def _get_user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # In a container that runs under a user id without a name.
        raise SettingsError(
            name="CHATOPS_USER", reason="not set, and this user has no name. Set it to a name."
        ) from None


class PersonSettings(BaseModel):
    """One person of `CHATOPS_PEOPLE`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1)
    role: Literal["viewer", "member", "admin"] = "member"
    clearml_user: str = ""
    slack: Annotated[str, Field(pattern=r"^((slack:)?[A-Z0-9]+[:/][A-Z0-9]+)?$")] = ""
    telegram: Annotated[str, Field(pattern=r"^((telegram:)?[0-9]+)?$")] = ""

    def to_person(self) -> ConfiguredPerson:
        """Return the person with their identities.

        An identity is written as the bot shows it to an unknown user, `slack:T0001:U0001`, or as `T0001/U0001`.
        """
        workspace, _, slack_user = self.slack.removeprefix("slack:").replace("/", ":").partition(":")
        telegram_user = self.telegram.removeprefix("telegram:")
        identities = (
            Identity("slack", slack_user, workspace) if slack_user else None,
            Identity("telegram", telegram_user) if telegram_user else None,
        )
        return ConfiguredPerson(
            name=self.name,
            role=Role[self.role.upper()],
            clearml_user=self.clearml_user,
            identities=tuple(identity for identity in identities if identity),
        )


class Settings(BaseSettings):
    """All settings. Each is one row of the table in docs/settings.md; its alias is the name that people write."""

    model_config = SettingsConfigDict(extra="forbid", hide_input_in_errors=True, case_sensitive=True)

    clearml_api_host: Address = Field("", alias="CLEARML_API_HOST")
    clearml_web_host: Address = Field("", alias="CLEARML_WEB_HOST")
    clearml_api_access_key: str = Field("", alias="CLEARML_API_ACCESS_KEY")
    clearml_api_secret_key: SecretStr = Field(SecretStr(""), alias="CLEARML_API_SECRET_KEY")
    data_folder: Path = Field(default_factory=get_default_data_folder, alias="CHATOPS_DATA")
    database_url: str = Field("", alias="DATABASE_URL", repr=False)
    slack_bot_token: SecretStr = Field(SecretStr(""), alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr = Field(SecretStr(""), alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr = Field(SecretStr(""), alias="SLACK_SIGNING_SECRET")
    slack_api_url: Address = Field("", alias="SLACK_API_URL")
    slack_prefix: str = Field("", alias="CHATOPS_SLACK_PREFIX", pattern=r"^[a-z0-9_-]*$")
    telegram_bot_token: SecretStr = Field(SecretStr(""), alias="TELEGRAM_BOT_TOKEN")
    telegram_api_url: Address = Field("", alias="TELEGRAM_API_URL")
    telegram_webhook_url: Address = Field("", alias="TELEGRAM_WEBHOOK_URL")
    http_host: str = Field("127.0.0.1", alias="CHATOPS_HTTP_HOST", min_length=1)
    http_port: int = Field(8080, alias="CHATOPS_HTTP_PORT", ge=1, le=65535)
    people: tuple[PersonSettings, ...] = Field((), alias="CHATOPS_PEOPLE")
    host: str = Field(default_factory=socket.gethostname, alias="CHATOPS_HOST", min_length=1)
    user: str = Field(default_factory=_get_user_name, alias="CHATOPS_USER", min_length=1)
    poll_seconds: float = Field(2.0, alias="CHATOPS_WATCH_SECONDS", ge=0.1, le=3600)
    idle_poll_seconds: float = Field(10.0, alias="CHATOPS_IDLE_WATCH_SECONDS", ge=0.1, le=3600)
    alert_seconds: float = Field(10.0, alias="CHATOPS_ALERT_SECONDS", ge=0.1, le=3600)
    pending_alarm_minutes: float = Field(10.0, alias="CHATOPS_PENDING_ALARM_MINUTES", ge=0, le=100_000)
    silence_alarm_minutes: float = Field(30.0, alias="CHATOPS_SILENCE_ALARM_MINUTES", ge=0, le=100_000)
    worker_alarm_minutes: float = Field(10.0, alias="CHATOPS_WORKER_ALARM_MINUTES", ge=0, le=100_000)
    log_level: Annotated[str, BeforeValidator(_normalize_log_level)] = Field("WARNING", alias="CHATOPS_LOG_LEVEL")

    @property
    def effective_database_url(self) -> str:
        """The database's URL: a SQLite file in the data folder if none is set."""
        return self.database_url or f"sqlite:///{self.data_folder / 'chatops.db'}"

    @property
    def poll_interval(self) -> timedelta:
        return timedelta(seconds=self.poll_seconds)

    @property
    def idle_poll_interval(self) -> timedelta:
        return timedelta(seconds=self.idle_poll_seconds)

    @property
    def alert_interval(self) -> timedelta:
        return timedelta(seconds=self.alert_seconds)

    @property
    def alarm_thresholds(self) -> AlarmThresholds:
        return AlarmThresholds(
            unattended=timedelta(minutes=self.pending_alarm_minutes),
            silent=timedelta(minutes=self.silence_alarm_minutes),
            worker_lost=timedelta(minutes=self.worker_alarm_minutes),
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the interface of the library
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment before the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _get_settings_file()))


def read_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: A setting is wrong or unknown, or the file that CHATOPS_SETTINGS names doesn't exist.
            The error names the first wrong setting. The default file may be missing.
    """
    if (settings_path := os.environ.get(SETTINGS_FILE_VARIABLE)) and not Path(settings_path).is_file():
        raise SettingsError(
            name=SETTINGS_FILE_VARIABLE, reason=f"there's no file {settings_path}. Correct the path or unset it."
        )
    try:
        return Settings()
    except ValidationError as error:
        first_error = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first_error["loc"][0]) if first_error["loc"] else "settings"
        if first_error["type"] == "extra_forbidden":
            raise SettingsError(name=name, reason="no such setting. See the table in docs/settings.md.") from None
        raise SettingsError(name=name, reason=f"{first_error['msg'].removeprefix('Value error, ')}.") from None
    except (OSError, ValueError) as error:
        raise SettingsError(name=str(_get_settings_file()), reason=f"can't read this file ({error}).") from error


def _get_settings_file() -> Path:
    return Path(os.environ.get(SETTINGS_FILE_VARIABLE) or DEFAULT_SETTINGS_FILE)
