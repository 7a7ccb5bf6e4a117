"""Labels and manifests: what is on them, and when there are none."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest
import requests

from sandbox.ekart.ledger import EkartLedger
from tests.support.sandbox_client import Ekart, assert_refused

LABEL, MANIFEST = "/api/v1/package/label", "/data/v2/generate/manifest"


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_labels_come_a_page_an_id_in_the_order_asked(held: Ekart) -> None:
    booked = [held.book() for _ in range(3)]
    asked = [booked[2]["id"], booked[0]["wbn"], booked[1]["id"]]
    answer = held.call("POST", LABEL, {"ids": asked})
    assert answer.headers["Content-Type"] == "application/octet-stream"
    texts = pages(answer.content)
    assert len(texts) == 3
    for text, shipment in zip(texts, (booked[2], booked[0], booked[1]), strict=True):
        assert all(name in text for name in shipment.values())


def test_a_hundred_labels_can_be_had_at_once(held: Ekart) -> None:
    ids = [held.book()["id"] for _ in range(100)]
    texts = pages(held.call("POST", LABEL, {"ids": ids}).content)
    assert all(name in text for name, text in zip(ids, texts, strict=True))


def test_a_label_can_be_had_for_a_name_in_any_script(held: Ekart) -> None:
    shipment = held.book(consignee_name="आशा", seller_name="Émile & Söhne")
    (text,) = pages(held.call("POST", LABEL, {"ids": [shipment["id"]]}).content)
    assert shipment["id"] in text


def test_label_data_can_be_had_without_the_paper(held: Ekart) -> None:
    first, second = held.book(), held.book(payment_mode="COD", cod_amount=1523.0)
    ids = [second["id"], first["id"]]
    data = held.call("POST", LABEL, {"ids": ids}, json_only="true").json()
    assert [(d["tracking_id"], d["wbn"], d["order_number"]) for d in data] == [
        tuple(second.values()),
        tuple(first.values()),
    ]
    assert (data[0]["payment_mode"], data[0]["cod_amount"]) == ("COD", "1523.0")
    answer = held.call("POST", LABEL, {"ids": ids}, json_only="false")
    assert answer.content.startswith(b"%PDF")


@pytest.mark.parametrize("query", [{}, {"json_only": "true"}])
def test_a_label_of_an_unknown_id_is_json_with_200(held: Ekart, query: dict[str, str]) -> None:
    answer = held.call("POST", LABEL, {"ids": [held.book()["id"], "unknown"]}, **query)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"status": False, "remark": "Shipment unknown does not exist"}


def test_a_label_of_a_cancelled_shipment_is_json_with_200(held: Ekart) -> None:
    tracking_id = held.book()["id"]
    held.call("DELETE", "/api/v1/package/cancel", tracking_id=tracking_id)
    answer = held.call("POST", LABEL, {"ids": [tracking_id]})
    assert answer.status_code == 200
    assert answer.json() == {"status": False, "remark": f"Shipment {tracking_id} is cancelled"}


def test_a_manifest_is_numbered_kept_and_downloaded(held: Ekart) -> None:
    booked = [held.book() for _ in range(60)]
    ids = [shipment["id"] for shipment in booked]
    first, second = (held.call("POST", MANIFEST, {"ids": ids}).json() for _ in range(2))
    assert first["manifestNumber"] != second["manifestNumber"]
    assert first["manifestDownloadUrl"].startswith(held.url)

    download = requests.get(first["manifestDownloadUrl"], timeout=5)
    assert download.headers["Content-Type"] == "application/pdf"
    text = "".join(pages(download.content))
    assert str(first["manifestNumber"]) in text
    assert all(name in text for shipment in booked for name in shipment.values())

    kept = {m["manifestNumber"]: m for m in held.sandbox.list_all("/_sandbox/manifests")}
    for made in (first, second):
        record = kept[made["manifestNumber"]]
        assert (record["ids"], record["ctime"]) == (ids, made["ctime"])


def test_manifests_of_the_same_millisecond_differ_in_number() -> None:
    ledger = EkartLedger()
    made = [ledger.add_manifest([], []) for _ in range(100)]
    assert len({manifest.number for manifest in made}) == 100


def test_a_manifest_of_an_unknown_or_cancelled_shipment_is_refused(held: Ekart) -> None:
    before = held.sandbox.state()["manifests"]
    good, cancelled = held.book()["id"], held.book()["id"]
    held.call("DELETE", "/api/v1/package/cancel", tracking_id=cancelled)
    unknown = held.call("POST", MANIFEST, {"ids": [good, "unknown"]})
    assert_refused(unknown, "does not exist", 404)
    assert_refused(held.call("POST", MANIFEST, {"ids": [good, cancelled]}), "cancelled")
    assert held.sandbox.state()["manifests"] == before


@pytest.mark.parametrize("number", ["1", "none"])
def test_a_manifest_that_nobody_made_cannot_be_downloaded(held: Ekart, number: str) -> None:
    assert_refused(held.call("GET", f"/manifests/{number}.pdf"), "does not exist", 404)


@pytest.mark.parametrize("path", [LABEL, MANIFEST])
@pytest.mark.parametrize(
    "ids", [None, [], ["a", "a"], [str(n) for n in range(101)], "a", [1], [""]]
)
def test_ids_are_one_to_a_hundred_different_texts(held: Ekart, path: str, ids: Any) -> None:
    assert_refused(held.call("POST", path, {"ids": ids}), "ids")


def test_json_only_is_true_or_false(held: Ekart) -> None:
    answer = held.call("POST", LABEL, {"ids": [held.book()["id"]]}, json_only="yes")
    assert_refused(answer, "json_only")
