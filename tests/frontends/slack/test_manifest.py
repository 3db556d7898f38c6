"""The manifest, by the limits of Slack's published schema."""

import pytest

from clearml_chatops.bot.frontends.slack import manifest
from clearml_chatops.bot.frontends.slack.manifest import BUILT_IN
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.replies import Reply


@pytest.mark.parametrize("prefix", ["", "ml-"])
def test_the_manifest_is_within_the_limits_of_the_schema(prefix: str) -> None:
    made = manifest(all_commands(), prefix=prefix)
    assert len(made["display_information"]["name"]) <= 35
    assert len(made["display_information"]["description"]) <= 140
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
    assert hints["/rerun"].startswith("<")


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
    assert made["settings"]["event_subscriptions"] == {"bot_events": ["app_mention", "message.im"]}
    assert made["features"]["app_home"]["messages_tab_read_only_enabled"] is False
