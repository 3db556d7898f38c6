"""The only access to ClearML's API: requests run off the event loop and return our dataclasses or errors."""

from clearml_chatops.services.clearml_gateway.gateway import ClearML, ClearMLConnections

__all__ = ["ClearML", "ClearMLConnections"]
