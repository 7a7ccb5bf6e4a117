"""What Ekart refuses in the body of a create call. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.checks import (
    is_list_of_texts,
    is_number,
    is_text,
    is_whole_number,
    require,
    require_fields,
)
from sandbox.ekart.pincodes import MAX_COD
from sandbox.ekart.shipments import is_large
from sandbox.ekart.validation import check_future_date, check_location
from sandbox.errors import NotFound

TEXTS = (
    "seller_name",
    "seller_address",
    "seller_gst_tin",
    "order_number",
    "invoice_number",
    "invoice_date",
    "consignee_name",
    "category_of_goods",
    "products_desc",
    "commodity_value",
)
SIZES = ("length", "width", "height")
FLAGS = ("delayed_dispatch", "obd_shipment", "mps")
QC_TEXTS = (
    "product_name",
    "product_desc",
    "product_sku",
    "product_color",
    "product_size",
    "brand_name",
    "product_category",
    "ean_barcode",
    "serial_number",
    "imei_number",
)
# How a packaging template is named that counts as known: the true ones are in an account's panel.
TEMPLATE_PREFIX = "Template"


def check_shipment(body: Mapping[str, Any], aliases: set[str]) -> None:
    """The body of a create call; `aliases` are those of the registered addresses."""
    require_fields(body, TEXTS, is_text, "text")
    require(len(body["seller_gst_tin"]) == 15, "seller_gst_tin must have 15 characters")
    for name in FLAGS:
        require(isinstance(body.get(name, False), bool), f"{name} must be true or false")
    mode = body.get("payment_mode")
    require(mode in ("COD", "Prepaid", "Pickup"), "payment_mode must be COD, Prepaid or Pickup")
    _check_amounts(body)
    require_fields(body, ("quantity",), _is_count, "a whole number of at least 1")
    _check_items(body)
    if body.get("mps"):
        _check_packages(body)
    else:
        _check_sizes(body)
    require(
        not body.get("delayed_dispatch") or not is_large(body),
        "delayed_dispatch is for non-large shipments alone",
    )
    if mode == "Pickup":
        require(bool(body.get("return_reason")), "return_reason is required")
    _check_quality(body)
    check_location("drop_location", body.get("drop_location"), drop=True)
    if "ewbn" in body:
        require(bool(re.fullmatch(r"\d{12}", str(body["ewbn"]))), "ewbn must have 12 digits")
    words = body.get("what3words_address")
    require(words is None or is_text(words), "what3words_address must be text")
    _check_alternate_phone(body)
    if body.get("preferred_dispatch_date") is not None:
        require(
            not body.get("delayed_dispatch"), "preferred_dispatch_date excludes delayed_dispatch"
        )
        check_future_date("preferred_dispatch_date", body["preferred_dispatch_date"])
    _check_pickup(body.get("pickup_location"), aliases)


def _is_count(value: Any) -> bool:
    return is_whole_number(value) and value >= 1


def _is_size(value: Any) -> bool:
    return is_number(value) and value > 0


def _check_amounts(body: Mapping[str, Any]) -> None:
    names = ("total_amount", "tax_value", "taxable_amount", "cod_amount")
    require_fields(body, names, lambda v: is_number(v) and v >= 0, "an amount")
    require(
        round(body["taxable_amount"] * 100) + round(body["tax_value"] * 100)
        == round(body["total_amount"] * 100),
        "total_amount must be the sum of taxable_amount and tax_value",
    )
    require(body["taxable_amount"] >= 1, "taxable_amount must be at least 1")
    require(body["cod_amount"] <= MAX_COD, f"cod_amount must be at most {MAX_COD}")
    cod = body["payment_mode"] == "COD"
    require(cod or body["cod_amount"] == 0, "cod_amount is for COD alone")
    require(not cod or body["cod_amount"] > 0, "cod_amount is required for COD")


def _check_sizes(body: Mapping[str, Any]) -> None:
    names: tuple[str, ...] = ("weight",)
    if "templateName" in body:
        require(
            not set(SIZES) & set(body),
            "Only one of templateName or length, width, height will be accepted",
        )
        template = body["templateName"]
        require(
            isinstance(template, str) and template.startswith(TEMPLATE_PREFIX),
            f"templateName {template} is not found",
        )
    else:
        names += SIZES
    require_fields(body, names, _is_count, "a whole number of at least 1")


def _check_items(body: Mapping[str, Any]) -> None:
    items = body.get("items", [])
    require(isinstance(items, list), "items must be a list")
    for item in items:
        require(isinstance(item, dict), "an item must be an object")
        require(is_text(item.get("product_name")), "items.product_name is required")
        require(_is_count(item.get("quantity", 1)), "items.quantity must be at least 1")
        for name in ("length", "height", "breadth", "weight"):
            require(_is_size(item.get(name, 1)), f"items.{name} must be more than 0")


def _check_packages(body: Mapping[str, Any]) -> None:
    """The packages of a shipment with several. The document does not tell their fields.

    The sizes and weight of the whole shipment are then ignored, so they are not checked. `count` is
    text in the document; a number is taken as well, and one is meant where it is left out.
    """
    require(body["payment_mode"] != "Pickup", "mps is for forward shipments")
    require(bool(body.get("items")), "items is required for mps")
    packages = body.get("packages")
    require(isinstance(packages, list) and bool(packages), "packages is required for mps")
    for package in packages or []:
        require(isinstance(package, dict), "a package must be an object")
        for name in (*SIZES, "weight"):
            require(_is_size(package.get(name)), f"packages.{name} must be more than 0")
        require(
            bool(re.fullmatch("[1-9][0-9]{0,2}", str(package.get("count", 1)))),
            "packages.count must be at least 1",
        )


def _check_quality(body: Mapping[str, Any]) -> None:
    details = body.get("qc_details")
    if details is None:
        return
    require(body["payment_mode"] == "Pickup", "qc_details is for payment_mode Pickup alone")
    require(isinstance(details, dict), "qc_details must be an object")
    wanted = details.get("qc_shipment", False)
    require(isinstance(wanted, bool), "qc_details.qc_shipment must be true or false")
    require(not wanted or "product_name" in details, "qc_details.product_name is required")
    for name in QC_TEXTS:
        require(is_text(details.get(name, "-")), f"qc_details.{name} must be text")
    images = details.get("product_images", [])
    require(is_list_of_texts(images), "qc_details.product_images must be a list of texts")


def _check_alternate_phone(body: Mapping[str, Any]) -> None:
    other = body.get("consignee_alternate_phone")
    if other is not None:
        require(len(str(other)) >= 10, "consignee_alternate_phone must have 10 digits")
        require(
            str(other)[-10:] != str(body["drop_location"]["phone"]),
            "Phone and Alternate Phone cannot be same",
        )


def _check_pickup(location: Any, aliases: set[str]) -> None:
    if location is None:
        require(len(aliases) == 1, "pickup_location is required")
        return
    require(isinstance(location, dict), "pickup_location must be an object")
    name = location.get("name")
    require(isinstance(name, str) and name != "", "pickup_location.name is required")
    if name in aliases:
        return
    if set(location) == {"name"}:
        raise NotFound(f"{name} pickup_location does not exist or is deleted.")
    check_location("pickup_location", location, drop=False)
