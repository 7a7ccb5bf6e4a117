"""The settings of the plug-in, in SHIPCROWD["COURIERS"]["delhivery"]."""

from dataclasses import dataclass

from couriers.http.tunables import HttpTunables


@dataclass(frozen=True, slots=True)
class DelhiveryTunables(HttpTunables):
    """What a deployment may set for Delhivery, beside what it may for every courier."""

    # The header that Delhivery was asked for when the callbacks were ordered.
    CALLBACK_HEADER: str = "x-delhivery-token"
    LABEL_SIZE: str = "4R"  # the paper of labels: 4R or A4
