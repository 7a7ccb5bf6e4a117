"""The URL modules of other apps whose API for companies is served beside the core's own."""

from __future__ import annotations

_modules: list[str] = []


def register(module: str) -> None:
    """Have the URLs of `module`, a dotted path, included in the API. Called in `ready()`."""
    if module not in _modules:
        _modules.append(module)


def registered() -> tuple[str, ...]:
    """Return the dotted paths of the registered modules."""
    return tuple(_modules)
