"""The built distributions, for the tests of this folder."""

from tests.support.wheels import distributions, host_virtualenv

__all__ = ["distributions", "host_virtualenv"]
