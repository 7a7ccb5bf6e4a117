"""Run in the host project: make a row of every model, and print all pages and a login's cookie."""

# ruff: noqa: E402, T201 - models are imported after the set-up, and the result is printed

import json

import django

django.setup()

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import set_script_prefix

from couriers.contract.registry import CourierFactory
from tests.support.admin_pages import admin_pages
from tests.support.everything import make_everything
from tests.support.factories import (
    CompanyFactory,
    CourierAccountFactory,
    CourierRowFactory,
    WarehouseFactory,
)
from tests.support.toy import ToyAdapter, ToyReceiver

CourierFactory.register(ToyAdapter, ToyReceiver())
company = CompanyFactory()
WarehouseFactory(company=company)
make_everything(CourierAccountFactory(company=company, courier=CourierRowFactory(code="toy")))
person = get_user_model().objects.create_superuser("asha@shop.example", "a long password")
client = Client()
client.force_login(person)
set_script_prefix("/merchant/")
pages = list(admin_pages(person))
cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps({"pages": pages, "cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}))
