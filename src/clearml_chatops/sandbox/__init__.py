"""A ClearML API server in one process, in memory, for the demo and the tests."""

from clearml_chatops.sandbox.server import Sandbox

__all__ = ["Sandbox"]
