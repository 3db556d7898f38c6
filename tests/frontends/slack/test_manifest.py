"""The manifest, by the limits of Slack's published schema."""

import pytest

from clearml_chatops.bot.frontends.slack import manifest, request_url
from clearml_chatops.bot.frontends.slack.manifest import BUILT_IN
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.replies import Reply


@pytest.mark.parametrize("prefix", ["", "ml-"])
def test_the_manifest_is_within_the_limits_of_the_schema(prefix: str) -> None:
    made = manifest(all_commands(), prefix=prefix)
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
    assert 1 <= len(made["features"]["bot_user"]["display_name"]) <= 80
    assert 1 <= len(made["features"]["shortcuts"]) <= 10
    for shortcut in made["features"]["shortcuts"]:
        assert set(shortcut) == {"name", "type", "callback_id", "description"}
        assert shortcut["type"] in {"message", "global"}
        assert 1 <= len(shortcut["name"]) <= 24
        assert 1 <= len(shortcut["callback_id"]) <= 255
        assert 1 <= len(shortcut["description"]) <= 150
    events = made["settings"]["event_subscriptions"]["bot_events"]
    assert len(events) == len(set(events)) <= 100
    commands = made["features"]["slash_commands"]
    names = [command["command"] for command in commands]
    assert names[0] == "/clearml"
    assert f"/{prefix}clone" in names
    assert len(names) == len(set(names)) <= 50
    assert not BUILT_IN & set(names)
    for command in commands:
        assert command["command"] == command["command"].lower()
        assert " " not in command["command"]
        assert len(command["command"]) <= 32
        assert 1 <= len(command["description"]) <= 2000
        assert 1 <= len(command.get("usage_hint", "-")) <= 1000
        # With Socket Mode a command has no address.
        assert "url" not in command


def test_a_built_in_name_is_free_behind_a_prefix() -> None:
    bare, prefixed = (
        [command["command"] for command in manifest(all_commands(), prefix=prefix)["features"]["slash_commands"]]
        for prefix in ("", "ml-")
    )
    assert "/archive" not in bare
    assert "/ml-archive" in prefixed


def test_the_hint_tells_what_follows() -> None:
    hints = {
        command["command"]: command.get("usage_hint", "")
        for command in manifest(all_commands())["features"]["slash_commands"]
    }
    assert hints["/queue"].startswith("[list|create|use|move|rename|delete]")
    assert hints["/clone"].startswith("[experiment]")
    assert hints["/use"].startswith("<experiment>")


def test_more_commands_than_slack_takes_are_left_to_the_root_command() -> None:
    family = CommandFamily("Many")
    for number in range(80):

        @family.command(f"command{number}", examples=())
        async def handler(context: object) -> Reply:
            """Do something."""
            raise NotImplementedError

    assert len(manifest(Registry([family]))["features"]["slash_commands"]) == 50


def test_it_asks_for_what_the_bot_needs_and_no_more() -> None:
    made = manifest(all_commands())
    assert made["oauth_config"]["scopes"]["bot"] == [
        "commands",
        "chat:write",
        "app_mentions:read",
        "im:history",
        "im:write",
        "files:write",
        "users:read",
    ]
    assert made["settings"]["socket_mode_enabled"] is True
    assert made["settings"]["interactivity"] == {"is_enabled": True}
    assert made["settings"]["event_subscriptions"] == {
        "bot_events": ["app_home_opened", "app_mention", "message.im"]
    }
    assert made["features"]["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_for_http_every_address_is_the_bots_and_socket_mode_is_off() -> None:
    url = "https://bot.example/slack/events"
    made = manifest(all_commands(), request_url=url)
    assert {command["url"] for command in made["features"]["slash_commands"]} == {url}
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["settings"]["interactivity"] == {
        "is_enabled": True,
        "request_url": url,
        "message_menu_options_url": url,
    }
    by_socket_mode = manifest(all_commands())
    events = made["settings"]["event_subscriptions"]
    assert events == {**by_socket_mode["settings"]["event_subscriptions"], "request_url": url}
    assert made["oauth_config"] == by_socket_mode["oauth_config"]


@pytest.mark.parametrize(
    ("address", "called"),
    [
        ("https://bot.example", "https://bot.example/slack/events"),
        ("https://bot.example:8443/lab/", "https://bot.example:8443/lab/slack/events"),
        ("https://bot.example/slack/events", "https://bot.example/slack/events"),
    ],
)
def test_slack_calls_below_the_bots_address(address: str, called: str) -> None:
    assert request_url(address) == called


@pytest.mark.parametrize(
    "address", ["bot.example", "http://bot.example", "https://", "https://bot.example?x=1", "https://[x"]
)
def test_an_address_that_slack_cannot_call_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no address that Slack can call"):
        request_url(address)
