"""The settings of the plug-in, in SHIPCROWD["COURIERS"]["delhivery"], and the login's fields."""

from dataclasses import dataclass

from couriers.conf import courier_tunables
from couriers.contract.logins import LoginField
from couriers.http.tunables import HttpTunables

CLIENT_HELP = "As Delhivery registered it: capitals and spaces count."
LOGIN_FIELDS = (
    LoginField("api_token", "API token", help="Test and live have different ones."),
    LoginField("client_name", "Client name", secret=False, help=CLIENT_HELP),
)


@dataclass(frozen=True, slots=True)
class DelhiveryTunables(HttpTunables):
    """What a deployment may set for Delhivery, beside what it may for every courier."""

    # The header that Delhivery was asked for when the callbacks were ordered.
    CALLBACK_HEADER: str = "x-delhivery-token"
    # The paper of labels: 4R or A4.
    LABEL_SIZE: str = "4R"


def delhivery_tunables() -> DelhiveryTunables:
    """Return the plug-in's settings; what is not set has its default."""
    return courier_tunables("delhivery", DelhiveryTunables)
