"""Public ids: a prefix for the kind of row, and a ULID, so that ids sort by time of creation.

Each has 80 random bits, so that nobody can guess the id in the URL of a public page. Ids of the
same millisecond are in no order.
"""

import datetime as dt

from ulid import ULID, PureRandomPolicy, ULIDGenerator

# The default policy counts up within a millisecond, so an id would reveal its neighbours.
_ulids = ULIDGenerator(policy=PureRandomPolicy())


def _new(prefix: str) -> str:
    return f"{prefix}_{str(_ulids.generate()).lower()}"


def _first(prefix: str, at: dt.datetime) -> str:
    time = str(ULID.from_datetime(at))[:10]  # 48 bits of milliseconds, then the random ones
    return f"{prefix}_{time.lower()}{'0' * 16}"


def new_account_id() -> str:
    """Return a new `acc_…` id of a CourierAccount."""
    return _new("acc")


def new_warehouse_id() -> str:
    """Return a new `whs_…` id of a Warehouse."""
    return _new("whs")


def new_shipment_id() -> str:
    """Return a new `shp_…` id of a Shipment."""
    return _new("shp")


def first_shipment_id(at: dt.datetime) -> str:
    """Return the id that sorts before those of all shipments made at this time or later."""
    return _first("shp", at)


def new_manifest_id() -> str:
    """Return a new `mft_…` id of a Manifest."""
    return _new("mft")


def new_job_id() -> str:
    """Return a new `job_…` id of a BulkJob."""
    return _new("job")


def new_product_id() -> str:
    """Return a new `prd_…` id of a Product."""
    return _new("prd")


def new_action_id() -> str:
    """Return a new `act_…` id of a ShipmentAction."""
    return _new("act")


def new_pickup_id() -> str:
    """Return a new `pck_…` id of a WarehousePickup."""
    return _new("pck")


def new_operator_job_id() -> str:
    """Return a new `opj_…` id of an OperatorJob."""
    return _new("opj")


def new_event_id() -> str:
    """Return a new `evt_…` id of an Event. A trigger makes them alike (migration 0036)."""
    return _new("evt")


def new_endpoint_id() -> str:
    """Return a new `whe_…` id of a WebhookEndpoint."""
    return _new("whe")


def first_event_id(at: dt.datetime) -> str:
    """Return the id that sorts before those of all events written at this time or later."""
    return _first("evt", at)


def new_label_job_id() -> str:
    """Return a new `lbl_…` id of a LabelJob."""
    return _new("lbl")


def new_rule_id() -> str:
    """Return a new `rul_…` id of a CourierRule."""
    return _new("rul")
