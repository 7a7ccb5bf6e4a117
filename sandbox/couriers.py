"""The couriers that have a stand-in. No other shared module names a courier."""

from __future__ import annotations

import importlib

from sandbox.server import Sandbox

# The class of each stand-in as "module:class", imported only when it is asked for.
COURIERS = {
    "delhivery": "sandbox.delhivery.app:DelhiverySandbox",
    "ekart": "sandbox.ekart.app:EkartSandbox",
    "velocity": "sandbox.velocity.app:VelocitySandbox",
}


def load(courier: str) -> type[Sandbox]:
    """The class of a courier's stand-in. Raises KeyError for a courier that is not in COURIERS."""
    module, _, name = COURIERS[courier].partition(":")
    loaded: type[Sandbox] = getattr(importlib.import_module(module), name)
    return loaded
