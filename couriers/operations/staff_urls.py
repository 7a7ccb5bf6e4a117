"""The URL modules of other apps whose staff API is served below the core's `ops/`."""

from __future__ import annotations

_modules: list[str] = []


def register(module: str) -> None:
    """Have the URLs of `module`, a dotted path, included below `ops/`. Called in `ready()`."""
    if module not in _modules:
        _modules.append(module)


def registered() -> tuple[str, ...]:
    """Return the dotted paths of the registered modules."""
    return tuple(_modules)
