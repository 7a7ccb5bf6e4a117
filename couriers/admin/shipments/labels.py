"""The label of a shipment in one click: the stored one, or fetched from the courier once."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern

from couriers.admin.decision_pages import as_sentence, decision_url, shipment_url
from couriers.admin.shipments.documents import VIEW, serve_file
from couriers.contract.errors import CourierError
from couriers.contract.logs import get_logger
from couriers.contract.platform_errors import PlatformError
from couriers.fulfilment.labels import get_label
from couriers.models import Shipment
from couriers.models.document import PDF

log = get_logger(__name__)


def offers_label(shipment: Shipment) -> bool:
    """Whether there may be a label: the parcel is booked, and its consignee is not erased."""
    return bool(shipment.tracking_id) and shipment.erased_at is None


class LabelMixin(admin.ModelAdmin):
    """Adds the label to the admin of shipments."""

    def get_urls(self) -> list[URLPattern]:
        refusal = "You may not open labels."
        url = decision_url(self, "label", "shipcrowd_label", VIEW, refusal, self.label_page)
        return [url, *super().get_urls()]

    def label_page(self, request: HttpRequest, shipment: Shipment) -> HttpResponseBase:
        """Serve the label, or say on the shipment's page why there is none."""
        try:
            content = get_label(shipment)
        except (CourierError, PlatformError) as error:
            messages.error(request, as_sentence(error))
            return redirect(shipment_url(self, shipment.pk))
        log.info("label_opened", shipment=shipment.pk, actor=str(request.user.pk))
        return serve_file(content, PDF, f"label-{shipment.tracking_id}.pdf")
