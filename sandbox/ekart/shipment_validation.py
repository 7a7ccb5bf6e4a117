"""What the sandbox refuses in the body of a create call. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.ekart.validation import (
    Refused,
    check_day_to_come,
    check_location,
    demand,
    is_list_of_texts,
    is_number,
    is_text,
    is_whole,
    need,
)

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
# The sandbox's stand-in for the templates of an account's panel.
TEMPLATES = "Template"
LARGE_ABOVE = 20_000  # grams


def check_shipment(body: Mapping[str, Any], aliases: set[str]) -> None:
    """The body of a create call; `aliases` are the addresses that are registered."""
    need(body, TEXTS, is_text, "text")
    demand(len(body["seller_gst_tin"]) == 15, "seller_gst_tin must have 15 characters")
    for name in FLAGS:
        demand(isinstance(body.get(name, False), bool), f"{name} must be true or false")
    mode = body.get("payment_mode")
    demand(mode in ("COD", "Prepaid", "Pickup"), "payment_mode must be COD, Prepaid or Pickup")
    _check_amounts(body)
    need(body, ("quantity",), _is_count, "a whole number of at least 1")
    _check_items(body)
    if body.get("mps"):
        _check_packages(body)
    else:
        _check_sizes(body)
    demand(
        not body.get("delayed_dispatch") or not is_large(body),
        "delayed_dispatch is for non-large shipments alone",
    )
    if mode == "Pickup":
        demand(bool(body.get("return_reason")), "return_reason is required")
    _check_quality(body)
    check_location("drop_location", body.get("drop_location"), drop=True)
    if "ewbn" in body:
        demand(bool(re.fullmatch(r"\d{12}", str(body["ewbn"]))), "ewbn must have 12 digits")
    words = body.get("what3words_address")
    demand(words is None or is_text(words), "what3words_address must be text")
    _check_alternate_phone(body)
    if body.get("preferred_dispatch_date") is not None:
        demand(
            not body.get("delayed_dispatch"), "preferred_dispatch_date excludes delayed_dispatch"
        )
        check_day_to_come("preferred_dispatch_date", body["preferred_dispatch_date"])
    _check_pickup(body.get("pickup_location"), aliases)


def is_large(body: Mapping[str, Any]) -> bool:
    """Whether it travels on the network for large goods: over 20 kg, or several packages."""
    return bool(body.get("mps")) or body["weight"] > LARGE_ABOVE


def _is_count(value: Any) -> bool:
    return is_whole(value) and value >= 1


def _is_size(value: Any) -> bool:
    return is_number(value) and value > 0


def _check_amounts(body: Mapping[str, Any]) -> None:
    names = ("total_amount", "tax_value", "taxable_amount", "cod_amount")
    need(body, names, lambda v: is_number(v) and v >= 0, "an amount")
    demand(
        round(body["taxable_amount"] * 100) + round(body["tax_value"] * 100)
        == round(body["total_amount"] * 100),
        "total_amount must be the sum of taxable_amount and tax_value",
    )
    demand(body["taxable_amount"] >= 1, "taxable_amount must be at least 1")
    demand(body["cod_amount"] <= 49999, "cod_amount must be at most 49999")
    cod = body["payment_mode"] == "COD"
    demand(cod or body["cod_amount"] == 0, "cod_amount is for COD alone")
    demand(not cod or body["cod_amount"] > 0, "cod_amount is required for COD")


def _check_sizes(body: Mapping[str, Any]) -> None:
    names: tuple[str, ...] = ("weight",)
    if "templateName" in body:
        demand(
            not set(SIZES) & set(body),
            "Only one of templateName or length, width, height will be accepted",
        )
        template = body["templateName"]
        demand(
            isinstance(template, str) and template.startswith(TEMPLATES),
            f"templateName {template} is not found",
        )
    else:
        names += SIZES
    need(body, names, _is_count, "a whole number of at least 1")


def _check_items(body: Mapping[str, Any]) -> None:
    items = body.get("items", [])
    demand(isinstance(items, list), "items must be a list")
    for item in items:
        demand(isinstance(item, dict), "an item must be an object")
        demand(is_text(item.get("product_name")), "items.product_name is required")
        demand(_is_count(item.get("quantity", 1)), "items.quantity must be at least 1")
        for name in ("length", "height", "breadth", "weight"):
            demand(_is_size(item.get(name, 1)), f"items.{name} must be more than 0")


def _check_packages(body: Mapping[str, Any]) -> None:
    """The packages of a shipment of several. The document leaves open what is in them.

    The sizes and the weight of the whole shipment are ignored in this case, so nobody checks them.
    `count` is a text in the document; a number does as well, and none means one.
    """
    demand(body["payment_mode"] != "Pickup", "mps is for forward shipments")
    demand(bool(body.get("items")), "items is required for mps")
    packages = body.get("packages")
    demand(isinstance(packages, list) and bool(packages), "packages is required for mps")
    for package in packages or []:
        demand(isinstance(package, dict), "a package must be an object")
        for name in (*SIZES, "weight"):
            demand(_is_size(package.get(name)), f"packages.{name} must be more than 0")
        demand(
            bool(re.fullmatch("[1-9][0-9]{0,2}", str(package.get("count", 1)))),
            "packages.count must be at least 1",
        )


def _check_quality(body: Mapping[str, Any]) -> None:
    details = body.get("qc_details")
    if details is None:
        return
    demand(body["payment_mode"] == "Pickup", "qc_details is for payment_mode Pickup alone")
    demand(isinstance(details, dict), "qc_details must be an object")
    wanted = details.get("qc_shipment", False)
    demand(isinstance(wanted, bool), "qc_details.qc_shipment must be true or false")
    demand(not wanted or "product_name" in details, "qc_details.product_name is required")
    for name in QC_TEXTS:
        demand(is_text(details.get(name, "-")), f"qc_details.{name} must be text")
    images = details.get("product_images", [])
    demand(is_list_of_texts(images), "qc_details.product_images must be a list of texts")


def _check_alternate_phone(body: Mapping[str, Any]) -> None:
    other = body.get("consignee_alternate_phone")
    if other is not None:
        demand(len(str(other)) >= 10, "consignee_alternate_phone must have 10 digits")
        demand(
            str(other)[-10:] != str(body["drop_location"]["phone"]),
            "Phone and Alternate Phone cannot be same",
        )


def _check_pickup(location: Any, aliases: set[str]) -> None:
    if location is None:
        demand(len(aliases) == 1, "pickup_location is required")
        return
    demand(isinstance(location, dict), "pickup_location must be an object")
    name = location.get("name")
    demand(isinstance(name, str) and name != "", "pickup_location.name is required")
    if name in aliases:
        return
    if set(location) == {"name"}:
        raise Refused(
            f"{name} pickup_location does not exist or is deleted.",
            status=404,
            code="SWIFT_RESOURCE_NOT_FOUND_EXCEPTION",
        )
    check_location("pickup_location", location, drop=False)
