"""The schema of `options` of a booking with Velocity. Pure."""

from __future__ import annotations

from couriers.contract.options import Options, RequiredText, ShortText, WebAddress


class QualityCheck(Options):
    """What the rider compares a returned product with; only some of the carriers do it."""

    product_name: RequiredText
    product_image: WebAddress
    brand: ShortText = ""


class VelocityOptions(Options):
    """What Velocity offers beyond the neutral request."""

    courier_name = "Velocity"

    rto_warehouse_id: ShortText = ""
    quality_check: QualityCheck | None = None
