"""The form by which a consignee finds a parcel, and which leads to its page.

What is typed is posted, so that no log, no history and no other site gets it. "No such order" and
"another pincode" are the same answer, made by the same work. Tries are limited by address and by
number, so that many addresses together cannot try all pincodes of one order either.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from couriers.conf import tunables
from couriers.contract.content_policy import parcel_form, with_policy
from couriers.contract.india import clean_pincode, is_pincode
from couriers.models import Company
from couriers.models.addresses import path_of
from couriers.resilience.client_address import client_address
from couriers.resilience.throttle import Quota, take
from couriers.resilience.unavailable import page_while_away
from couriers.tracking.finding import MAX_NUMBER, clean_number, find_parcel, plain_number
from couriers.tracking.languages import query_of
from couriers.tracking.public_pages import COMPANY_COLUMNS, parcel_response, shop_of, too_many

# Tries a minute. Many customers of a mobile network share an address.
TRIES_OF_ADDRESS = 30
TRIES_OF_NUMBER = 5
MAX_BODY = 4096  # bytes
FORM = "application/x-www-form-urlencoded"


class FindForm(forms.Form):
    """An order number or waybill, and the pincode of the address."""

    number = forms.CharField(
        max_length=MAX_NUMBER,
        error_messages={
            "required": pgettext_lazy("parcel", "Please type the number."),
            "max_length": pgettext_lazy("parcel", "This number is too long."),
        },
    )
    pincode = forms.CharField(
        max_length=20,
        error_messages={
            "required": pgettext_lazy("parcel", "Please type the pincode."),
            "max_length": pgettext_lazy("parcel", "A pincode has six digits."),
        },
    )

    def clean_number(self) -> str:
        """Return the number as one line, without invisible marks at its ends."""
        number = clean_number(self.cleaned_data["number"])
        if not plain_number(number):
            raise forms.ValidationError(pgettext_lazy("parcel", "This cannot be an order number."))
        return number

    def clean_pincode(self) -> str:
        """Return the pincode in ASCII digits, without blanks."""
        pincode = clean_pincode(self.cleaned_data["pincode"])
        if not is_pincode(pincode):
            raise forms.ValidationError(pgettext_lazy("parcel", "A pincode has six digits."))
        return pincode


# Exempt from the check of a token: it needs no cookie, and changes nothing. So a shop may have the
# form on its own pages.
@csrf_exempt
@page_while_away
@transaction.non_atomic_requests
@login_not_required
@with_policy(parcel_form)
@require_http_methods(["GET", "HEAD", "POST"])
def find_page(request: HttpRequest, company: str = "") -> HttpResponse:
    """GET, POST /track/ and /track/find/{slug of a company}/: the form, and what it found.

    A POST with a number and the right pincode is answered 303 to the parcel's page, any other 404,
    one that lacks something 400, and one too many 429.
    """
    posted = request.method == "POST"
    if wait := _wait(request, posted):
        return too_many(request, wait)
    shop = _company(company) if company else None
    if company and shop is None:
        return parcel_response(request, "couriers/tracking_unknown.html", {}, 404)
    if posted:
        return _answer(request, shop)
    return _blank_form(request, shop)


@cache_control(private=True, max_age=60)
def _blank_form(request: HttpRequest, company: Company | None) -> HttpResponse:
    return _page(request, company, FindForm())


@cache_control(no_store=True)
def _answer(request: HttpRequest, company: Company | None) -> HttpResponse:
    form = FindForm(_posted(request))
    if not form.is_valid():
        return _page(request, company, form, status=400)
    number, pincode = form.cleaned_data["number"], form.cleaned_data["pincode"]
    if wait := _wait_of_number(company, number):
        return too_many(request, wait)
    found = find_parcel(company, number, pincode)
    if found is None:
        return _page(request, company, form, status=404, is_unknown=True)
    page = path_of("couriers_tracking:page", found.pk)
    return HttpResponseRedirect(page + query_of(request), status=303)


def _posted(request: HttpRequest) -> Any:
    """Return the fields of the form, none of a body that is no form or too large to be this."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if request.content_type != FORM or not length.isdigit() or int(length) > MAX_BODY:
        return {}
    return request.POST


def _page(
    request: HttpRequest,
    company: Company | None,
    form: FindForm,
    status: int = 200,
    is_unknown: bool = False,
) -> HttpResponse:
    context = {
        "form": form,
        "shop": shop_of(company) if company else None,
        "is_unknown": is_unknown,
    }
    return parcel_response(request, "couriers/tracking_find.html", context, status)


def _company(slug: str) -> Company | None:
    found = Company.objects.select_related("logo").only(*COMPANY_COLUMNS)
    return found.filter(slug=slug, is_active=True).first()


def _wait(request: HttpRequest, posted: bool) -> float:
    """Return the seconds that the address must wait, 0 if it need not."""
    address = client_address(request)
    quotas = [Quota("tracking-page", address, tunables().THROTTLE_TRACKING_PAGE)]
    if posted:
        quotas.append(Quota("tracking-tries", address, TRIES_OF_ADDRESS))
    standing = take(quotas)
    return standing.wait if standing else 0.0


def _wait_of_number(company: Company | None, number: str) -> float:
    """Return the seconds that everybody must wait who tries this number, 0 if nobody need.

    It is counted whether there is such an order or not.
    """
    owner = f"{company.pk if company else ''}:{plain_number(number)}"
    digest = hashlib.sha256(owner.encode("utf-8", "replace")).hexdigest()[:32]
    standing = take([Quota("tracking-number", digest, TRIES_OF_NUMBER)])
    return standing.wait if standing else 0.0
