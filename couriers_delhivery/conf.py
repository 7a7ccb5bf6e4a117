"""The settings of the plug-in, in SHIPCROWD["COURIERS"]["delhivery"]."""

from dataclasses import dataclass

from couriers.conf import courier_tunables
from couriers.http.tunables import HttpTunables


@dataclass(frozen=True, slots=True)
class DelhiveryTunables(HttpTunables):
    """What a deployment may set for Delhivery, beside what it may for every courier."""

    # The header that Delhivery was asked for when the callbacks were ordered.
    CALLBACK_HEADER: str = "x-delhivery-token"
    LABEL_SIZE: str = "4R"  # the paper of labels: 4R or A4


def delhivery_tunables() -> DelhiveryTunables:
    """Return the plug-in's settings; what is not set has its default."""
    return courier_tunables("delhivery", DelhiveryTunables)
