"""Public ids: a prefix that says what it is, and a ULID, so that they sort by time of creation.

80 random bits, drawn anew for each, make them fit for a URL that anybody with the id may open; ids
of the same millisecond are in no order.
"""

from ulid import PureRandomPolicy, ULIDGenerator

# The default policy counts on within a millisecond: who has one id would have its neighbours'.
_ulids = ULIDGenerator(policy=PureRandomPolicy())


def _new(prefix: str) -> str:
    return f"{prefix}_{str(_ulids.generate()).lower()}"


def new_account_id() -> str:
    """`acc_…` for a CourierAccount."""
    return _new("acc")


def new_warehouse_id() -> str:
    """`whs_…` for a Warehouse."""
    return _new("whs")


def new_shipment_id() -> str:
    """`shp_…` for a Shipment."""
    return _new("shp")


def new_manifest_id() -> str:
    """`mft_…` for a Manifest."""
    return _new("mft")


def new_job_id() -> str:
    """`job_…` for a BulkJob."""
    return _new("job")
