"""The tables of the courier-neutral core, one module a concept."""

from couriers.models.account import Courier, CourierAccount
from couriers.models.audit import AuditEntry
from couriers.models.call import CourierCall
from couriers.models.company import Company, CompanyApiKey
from couriers.models.idempotency import IdempotencyKey
from couriers.models.manifest import Manifest, ManifestChunk
from couriers.models.shipment import Scan, Shipment
from couriers.models.token import CourierToken
from couriers.models.warehouse import Warehouse, WarehouseRegistration

__all__ = [
    "AuditEntry",
    "Company",
    "CompanyApiKey",
    "Courier",
    "CourierAccount",
    "CourierCall",
    "CourierToken",
    "IdempotencyKey",
    "Manifest",
    "ManifestChunk",
    "Scan",
    "Shipment",
    "Warehouse",
    "WarehouseRegistration",
]
