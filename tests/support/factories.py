"""Factories of rows for tests. The default values are valid."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import factory
from django.contrib.auth.models import Permission, User

from couriers.contract.statuses import Status
from couriers.contract.types import PaymentMode
from couriers.models import Company, CompanyApiKey, Courier, CourierAccount, Shipment, Warehouse

GSTIN = "29AAGCR4375J1ZU"


class CompanyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Company

    slug = factory.Sequence(lambda n: f"company-{n}")
    name = factory.Sequence(lambda n: f"Company {n}")
    gstin = GSTIN
    address = "1, Example Road"
    city = "Bengaluru"
    state = "Karnataka"
    pincode = "560001"
    phone = "9845012345"


class CourierRowFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Courier
        django_get_or_create = ("code",)

    code = "ekart"
    name = "Ekart"


class CourierAccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CourierAccount

    class Params:
        client_id = factory.Sequence(lambda n: f"sandbox@{n}")
        username = "sandbox"
        password = "sandbox"

    company = factory.SubFactory(CompanyFactory)
    courier = factory.SubFactory(CourierRowFactory)
    base_url = "http://127.0.0.1:9"
    login = factory.LazyAttribute(
        lambda o: {"client_id": o.client_id, "username": o.username, "password": o.password}
    )
    webhook_secret = "a-secret-of-tests"


class WarehouseFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Warehouse

    company = factory.SubFactory(CompanyFactory)
    name = factory.Sequence(lambda n: f"Warehouse {n}")
    contact_name = "Main gate"
    phone = "9845012345"
    address = "1, Example Road"
    city = "Bengaluru"
    state = "Karnataka"
    pincode = "560001"
    is_default = True


class ShipmentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Shipment

    account = factory.SubFactory(CourierAccountFactory)
    company = factory.SelfAttribute("account.company")
    is_test = factory.SelfAttribute("account.is_test")
    courier_id = factory.SelfAttribute("account.courier_id")
    warehouse = factory.SubFactory(WarehouseFactory, company=factory.SelfAttribute("..company"))
    order_number = factory.Sequence(lambda n: f"ORD-{n}")
    order_date = dt.date(2026, 11, 23)
    status = Status.BOOKED
    tracking_id = factory.Sequence(lambda n: f"TRK{n:08d}")
    payment_mode = PaymentMode.PREPAID
    total_amount = Decimal("112.00")
    taxable_amount = Decimal("100.00")
    tax_amount = Decimal("12.00")
    weight_g = 240
    length_cm = 30
    width_cm = 22
    height_cm = 8
    consignee_name = "Asha Sample"
    consignee_phone = "9876543210"
    consignee_address = "9, Secret Lane"
    consignee_city = "Pune"
    consignee_state = "Maharashtra"
    consignee_pincode = "411004"


def make_api_key(company: Company, *, is_test: bool = False) -> str:
    """Return a new API key of the company, as a storefront sends it."""
    _, key = CompanyApiKey.objects.create_key(name="tests", company=company, is_test=is_test)
    return str(key)


def make_staff(*codenames: str, username: str = "operator") -> User:
    """Return a member of staff with these permissions and no other."""
    user = User.objects.create_user(username, is_staff=True)
    granted = Permission.objects.filter(codename__in=codenames)
    assert {permission.codename for permission in granted} == set(codenames)
    user.user_permissions.set(granted)
    return user
