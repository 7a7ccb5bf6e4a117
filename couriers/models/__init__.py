"""The tables of the courier-neutral core, one module for each concept."""

from couriers.models.account import Courier, CourierAccount
from couriers.models.account_check import AccountCheck, CheckKind, CheckOutcome
from couriers.models.action import ShipmentAction
from couriers.models.attempt import BookingAttempt, FailOver, ParcelCancel
from couriers.models.audit import AuditEntry
from couriers.models.call import CourierCall
from couriers.models.callback_tally import CallbackTally
from couriers.models.company import Company, CompanyApiKey, Scope
from couriers.models.company_logo import CompanyLogo
from couriers.models.courier_rule import CourierRule
from couriers.models.day_figure import DayFigure
from couriers.models.document import StoredDocument
from couriers.models.event import Event, EventType
from couriers.models.flag import FlagKind, ShipmentFlag
from couriers.models.idempotency import IdempotencyKey
from couriers.models.inquiry import DoubtInquiry
from couriers.models.job import BulkJob, BulkOrder, BulkTurn
from couriers.models.label_job import LabelJob
from couriers.models.manifest import Manifest, ManifestChunk
from couriers.models.operator_job import OperatorJob, OperatorJobItem
from couriers.models.performance import CourierPerformance
from couriers.models.pickup import WarehousePickup
from couriers.models.product import Product
from couriers.models.reserved_id import ReservedId
from couriers.models.serviceability import ServiceablePincode
from couriers.models.shipment import Scan, Shipment
from couriers.models.staff_notes import Assignment, ShipmentNote
from couriers.models.staff_scope import StaffScope
from couriers.models.token import CourierToken
from couriers.models.warehouse import Warehouse, WarehouseRegistration

__all__ = [
    "AccountCheck",
    "Assignment",
    "AuditEntry",
    "BookingAttempt",
    "BulkJob",
    "BulkOrder",
    "BulkTurn",
    "CallbackTally",
    "CheckKind",
    "CheckOutcome",
    "Company",
    "CompanyApiKey",
    "CompanyLogo",
    "Courier",
    "CourierAccount",
    "CourierCall",
    "CourierPerformance",
    "CourierRule",
    "CourierToken",
    "DayFigure",
    "DoubtInquiry",
    "Event",
    "EventType",
    "FailOver",
    "FlagKind",
    "IdempotencyKey",
    "LabelJob",
    "Manifest",
    "ManifestChunk",
    "OperatorJob",
    "OperatorJobItem",
    "ParcelCancel",
    "Product",
    "ReservedId",
    "Scan",
    "Scope",
    "ServiceablePincode",
    "Shipment",
    "ShipmentAction",
    "ShipmentFlag",
    "ShipmentNote",
    "StaffScope",
    "StoredDocument",
    "Warehouse",
    "WarehousePickup",
    "WarehouseRegistration",
]
