"""The base of the API's views. They take nothing from a host project's REST_FRAMEWORK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import translation
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.metadata import SimpleMetadata
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import DEFAULTS, IMPORT_STRINGS, APISettings
from rest_framework.views import APIView

from couriers.api import throttling
from couriers.api.authentication import AdminSession, ApiKeyAuthentication
from couriers.api.compression import compressed
from couriers.api.openapi import ApiSchema
from couriers.api.parsers import BoundedJSONParser
from couriers.api.permissions import IsCompany
from couriers.api.problems import exception_handler
from couriers.api.renderers import ApiRenderer
from couriers.api.strictness import refuse_unknown_input, require_scope
from couriers.contract.content_policy import HEADER, NOTHING
from couriers.models import CompanyApiKey
from couriers.models.audit import Door, acting, name_doer
from couriers.resilience import waits
from couriers.resilience.request_context import with_request_id
from couriers.resilience.throttle import Standing

# The framework's own defaults, whatever the project's REST_FRAMEWORK says. No parameter of the
# query chooses the format.
_OWN: Any = {"EXCEPTION_HANDLER": exception_handler, "URL_FORMAT_OVERRIDE": None}
SETTINGS = APISettings(_OWN, DEFAULTS, IMPORT_STRINGS)


class Negotiation(DefaultContentNegotiation):
    """Chooses the renderer by the Accept header."""

    settings: Any = SETTINGS


class ApiView(APIView):
    """A view for clients with a company's API key. It stands before any generic view class.

    It refuses query parameters and bodies that the operation does not declare.

    It never runs in a transaction of ATOMIC_REQUESTS, because courier calls are made while no
    transaction is open.
    """

    settings = SETTINGS
    schema: Any = ApiSchema()
    # Without OPTIONS and TRACE, which no client needs and no operation describes.
    http_method_names: Sequence[str] = ("get", "post", "put", "patch", "delete", "head")
    authentication_classes: Sequence[type[BaseAuthentication]] = (
        ApiKeyAuthentication,
        AdminSession,
    )
    permission_classes: Sequence[type[BasePermission]] = (IsCompany,)
    renderer_classes: Sequence[type[BaseRenderer]] = (ApiRenderer,)
    parser_classes: Sequence[type[BaseParser]] = (BoundedJSONParser,)
    throttle_classes = ()  # couriers.api.throttling
    versioning_class = None
    metadata_class = SimpleMetadata
    content_negotiation_class = Negotiation
    standing: Standing | None = None  # in the quotas of the client, of this request

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer in English, whatever languages the project has, and wait for couriers briefly.

        What is recorded in the audit trail meanwhile was done through the API.
        """
        with translation.override("en"), waits.limit_sum(), acting(Door.API):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, check the permission and the key's scope, then what the request has.

        Raises ScopeMissing, and ValidationError naming what the operation does not take.
        """
        super().initial(request, *args, **kwargs)
        if isinstance(request.auth, CompanyApiKey):
            name_doer(f"API key {request.auth.prefix}")
        method = str(request.method).lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            return  # the answer is 405
        if isinstance(request.auth, CompanyApiKey):
            require_scope(request.auth, handler, method)
        is_list = getattr(self, "action", None) == "list"
        filterset = getattr(self, "filterset_class", None) if is_list else None
        refuse_unknown_input(request, handler, filterset)

    def check_permissions(self, request: Request) -> None:
        """Take a turn of the client's quotas, then check the permission. Raises Throttled."""
        self.standing = throttling.take_turn(request)
        if self.standing and self.standing.wait:
            raise throttling.too_many(self.standing)
        super().check_permissions(request)

    def handle_exception(self, exc: Exception) -> Any:
        """Answer an error; a wrong key of an address that sent too many of them with 429."""
        if isinstance(exc, AuthenticationFailed):
            exc = throttling.too_many_wrong_keys(self.request) or exc
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Forbid caches and browsers to keep or run the response, and tell the client's quota."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.standing:
            throttling.tell(response, self.standing)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault(HEADER, self.content_policy())
        return response

    def content_policy(self) -> str:
        """Return the Content-Security-Policy of the answers."""
        return NOTHING

    @classmethod
    def as_view(cls, *args: Any, **initkwargs: Any) -> Any:
        view = with_request_id(compressed(super().as_view(*args, **initkwargs)))
        return transaction.non_atomic_requests(view)
