"""The one door to ClearML's API: requests off the event loop, answers as our dataclasses and errors."""

from clearml_chatops.services.clearml_gateway.gateway import ClearML, ClearMLConnections

__all__ = ["ClearML", "ClearMLConnections"]
