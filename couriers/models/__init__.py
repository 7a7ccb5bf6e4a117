"""The tables of the courier-neutral core, one module for each concept."""

from couriers.models.account import Courier, CourierAccount
from couriers.models.action import ShipmentAction
from couriers.models.audit import AuditEntry
from couriers.models.call import CourierCall
from couriers.models.callback_tally import CallbackTally
from couriers.models.company import Company, CompanyApiKey, Scope
from couriers.models.document import StoredDocument
from couriers.models.flag import FlagKind, ShipmentFlag
from couriers.models.idempotency import IdempotencyKey
from couriers.models.inquiry import DoubtInquiry
from couriers.models.job import BulkJob, BulkOrder, BulkTurn
from couriers.models.manifest import Manifest, ManifestChunk
from couriers.models.pickup import WarehousePickup
from couriers.models.product import Product
from couriers.models.reserved_id import ReservedId
from couriers.models.serviceability import ServiceablePincode
from couriers.models.shipment import Scan, Shipment
from couriers.models.token import CourierToken
from couriers.models.warehouse import Warehouse, WarehouseRegistration

__all__ = [
    "AuditEntry",
    "BulkJob",
    "BulkOrder",
    "BulkTurn",
    "CallbackTally",
    "Company",
    "CompanyApiKey",
    "Courier",
    "CourierAccount",
    "CourierCall",
    "CourierToken",
    "DoubtInquiry",
    "FlagKind",
    "IdempotencyKey",
    "Manifest",
    "ManifestChunk",
    "Product",
    "ReservedId",
    "Scan",
    "Scope",
    "ServiceablePincode",
    "Shipment",
    "ShipmentAction",
    "ShipmentFlag",
    "StoredDocument",
    "Warehouse",
    "WarehousePickup",
    "WarehouseRegistration",
]
