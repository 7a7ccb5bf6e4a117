"""The settings of the plug-in, in SHIPCROWD["COURIERS"]["ekart"], and the fields of a login."""

from __future__ import annotations

from dataclasses import dataclass

from couriers.contract.logins import LoginField
from couriers.http.tunables import HttpTunables

LOGIN_FIELDS = (
    LoginField("client_id", "Client id", secret=False, help="Ekart gives it at onboarding."),
    LoginField("username", "Username"),
    LoginField("password", "Password"),
)


@dataclass(frozen=True, slots=True)
class EkartTunables(HttpTunables):
    """What a deployment may set for Ekart, beside what it may for every courier."""

    # The document names neither the signature's header nor its encoding: these are from practice.
    SIGNATURE_HEADERS: tuple[str, ...] = ("x-ekart-signature",)
    SIGNATURE_ENCODINGS: tuple[str, ...] = ("hex",)
    # The `billingClientType` of /data/pricing/estimate.
    BILLING_CLIENT_TYPE: str = "EXISTING_CLIENT"
    # Which list of pincodes is loaded: NON_LARGE or LARGE.
    SERVICEABILITY_TYPE: str = "NON_LARGE"
