"""Labels and manifests: what is on them, and when they are refused."""

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


def test_labels_have_a_page_for_each_id_in_the_order_asked(ekart: Ekart) -> None:
    booked = [ekart.book() for _ in range(3)]
    asked = [booked[2]["id"], booked[0]["wbn"], booked[1]["id"]]
    answer = ekart.call("POST", LABEL, {"ids": asked})
    assert answer.headers["Content-Type"] == "application/octet-stream"
    texts = pages(answer.content)
    assert len(texts) == 3
    for text, shipment in zip(texts, (booked[2], booked[0], booked[1]), strict=True):
        assert all(name in text for name in shipment.values())


def test_a_call_makes_a_hundred_labels(ekart: Ekart) -> None:
    ids = [ekart.book()["id"] for _ in range(100)]
    texts = pages(ekart.call("POST", LABEL, {"ids": ids}).content)
    assert all(name in text for name, text in zip(ids, texts, strict=True))


def test_a_label_is_made_for_a_name_in_any_script(ekart: Ekart) -> None:
    shipment = ekart.book(consignee_name="आशा", seller_name="Émile & Söhne")
    (text,) = pages(ekart.call("POST", LABEL, {"ids": [shipment["id"]]}).content)
    assert shipment["id"] in text


def test_json_only_answers_the_data_of_the_labels(ekart: Ekart) -> None:
    first, second = ekart.book(), ekart.book(payment_mode="COD", cod_amount=1523.0)
    ids = [second["id"], first["id"]]
    data = ekart.call("POST", LABEL, {"ids": ids}, json_only="true").json()
    assert [(d["tracking_id"], d["wbn"], d["order_number"]) for d in data] == [
        tuple(second.values()),
        tuple(first.values()),
    ]
    assert (data[0]["payment_mode"], data[0]["cod_amount"]) == ("COD", "1523.0")
    answer = ekart.call("POST", LABEL, {"ids": ids}, json_only="false")
    assert answer.content.startswith(b"%PDF")


@pytest.mark.parametrize("query", [{}, {"json_only": "true"}])
def test_a_label_of_an_unknown_id_is_json_with_200(ekart: Ekart, query: dict[str, str]) -> None:
    answer = ekart.call("POST", LABEL, {"ids": [ekart.book()["id"], "unknown"]}, **query)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {"status": False, "remark": "Shipment unknown does not exist"}


def test_a_label_of_a_cancelled_shipment_is_json_with_200(ekart: Ekart) -> None:
    tracking_id = ekart.book()["id"]
    ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=tracking_id)
    answer = ekart.call("POST", LABEL, {"ids": [tracking_id]})
    assert answer.status_code == 200
    assert answer.json() == {"status": False, "remark": f"Shipment {tracking_id} is cancelled"}


def test_a_manifest_has_a_number_and_can_be_downloaded(ekart: Ekart) -> None:
    booked = [ekart.book() for _ in range(60)]
    ids = [shipment["id"] for shipment in booked]
    first, second = (ekart.call("POST", MANIFEST, {"ids": ids}).json() for _ in range(2))
    assert first["manifestNumber"] != second["manifestNumber"]
    assert first["manifestDownloadUrl"].startswith(ekart.url)

    download = requests.get(first["manifestDownloadUrl"], timeout=5)
    assert download.headers["Content-Type"] == "application/pdf"
    text = "".join(pages(download.content))
    assert str(first["manifestNumber"]) in text
    assert all(name in text for shipment in booked for name in shipment.values())

    kept = {m["manifestNumber"]: m for m in ekart.sandbox.list_all("/_sandbox/manifests")}
    for made in (first, second):
        record = kept[made["manifestNumber"]]
        assert (record["ids"], record["ctime"]) == (ids, made["ctime"])


def test_manifests_of_the_same_millisecond_have_different_numbers() -> None:
    ledger = EkartLedger()
    made = [ledger.add_manifest([], []) for _ in range(100)]
    assert len({manifest.number for manifest in made}) == 100


def test_a_manifest_of_an_unknown_or_cancelled_shipment_is_refused(ekart: Ekart) -> None:
    before = ekart.sandbox.state()["manifests"]
    good, cancelled = ekart.book()["id"], ekart.book()["id"]
    ekart.call("DELETE", "/api/v1/package/cancel", tracking_id=cancelled)
    unknown = ekart.call("POST", MANIFEST, {"ids": [good, "unknown"]})
    assert_refused(unknown, "does not exist", 404)
    assert_refused(ekart.call("POST", MANIFEST, {"ids": [good, cancelled]}), "cancelled")
    assert ekart.sandbox.state()["manifests"] == before


@pytest.mark.parametrize("number", ["1", "none"])
def test_an_unknown_manifest_cannot_be_downloaded(ekart: Ekart, number: str) -> None:
    assert_refused(ekart.call("GET", f"/manifests/{number}.pdf"), "does not exist", 404)


@pytest.mark.parametrize("path", [LABEL, MANIFEST])
@pytest.mark.parametrize(
    "ids", [None, [], ["a", "a"], [str(n) for n in range(101)], "a", [1], [""]]
)
def test_ids_are_one_to_a_hundred_different_texts(ekart: Ekart, path: str, ids: Any) -> None:
    assert_refused(ekart.call("POST", path, {"ids": ids}), "ids")


def test_json_only_is_true_or_false(ekart: Ekart) -> None:
    answer = ekart.call("POST", LABEL, {"ids": [ekart.book()["id"]]}, json_only="yes")
    assert_refused(answer, "json_only")
