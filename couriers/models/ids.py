"""Public ids: a prefix for the kind of row, and a ULID, so that ids sort by time of creation.

Each has 80 random bits, so that nobody can guess the id in the URL of a public page. Ids of the
same millisecond are in no order.
"""

from ulid import PureRandomPolicy, ULIDGenerator

# The default policy counts up within a millisecond, so an id would reveal its neighbours.
_ulids = ULIDGenerator(policy=PureRandomPolicy())


def _new(prefix: str) -> str:
    return f"{prefix}_{str(_ulids.generate()).lower()}"


def new_account_id() -> str:
    """Return a new `acc_…` id of a CourierAccount."""
    return _new("acc")


def new_warehouse_id() -> str:
    """Return a new `whs_…` id of a Warehouse."""
    return _new("whs")


def new_shipment_id() -> str:
    """Return a new `shp_…` id of a Shipment."""
    return _new("shp")


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
