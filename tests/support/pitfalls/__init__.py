"""Mistakes of courier integrations, each with the names of the tests that prevent it here."""

from tests.support.pitfalls.doors import DOORS
from tests.support.pitfalls.integrations import INTEGRATIONS
from tests.support.pitfalls.neighbours import NEIGHBOURS

PITFALLS = INTEGRATIONS | DOORS | NEIGHBOURS
