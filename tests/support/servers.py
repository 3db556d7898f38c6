"""Test parameters for the ages of servers that the sandbox plays."""

from clearml_chatops.sandbox.versions import NEWEST_API_VERSION, SERVER_VERSIONS

API_VERSIONS = tuple(SERVER_VERSIONS)
OLD_API_VERSIONS = tuple(version for version in SERVER_VERSIONS if version != NEWEST_API_VERSION)
