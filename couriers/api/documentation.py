"""The OpenAPI schema of the API, and Swagger UI with it.

The schema lists the platform's views alone, under the addresses that the project gives them. A
host's SPECTACULAR_SETTINGS have no effect on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.templatetags.static import static
from drf_spectacular import plumbing
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.utils import OpenApiParameter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.base import ApiView, Negotiation
from couriers.api.schema import extend_schema
from couriers.conf import tunables
from couriers.contract.content_policy import page_policy
from couriers.models.addresses import path_below_root, path_of

try:
    VERSION = version("shipcrowd")
except PackageNotFoundError:  # the source is on the path, but not installed
    VERSION = "0+unknown"
MAX_TRIES = 5
TITLE = "Shipcrowd"
DESCRIPTION = (
    "Book and follow shipments with any courier: one order, one shipment.\n\n"
    "Send a company's key as `Authorization: Bearer …`. A request that books may be sent again "
    "with the same `Idempotency-Key`: it gets the same answer. Errors are problems (RFC 9457), "
    "whose `type` is the path of a page with the cause, the remedy and an example."
)
SWAGGER_UI = "drf_spectacular_sidecar/swagger-ui-dist"
# Links to one operation work, and the examples of a body come before its schema.
SWAGGER_SETTINGS = {
    "deepLinking": True, "defaultModelsExpandDepth": 0, "displayRequestDuration": True,
}  # fmt: skip
# drf-spectacular takes these from the view, and refuses them as custom settings.
_OF_THE_VIEW = re.compile(r"SERVE_|DEFAULT_GENERATOR_CLASS$")
# drf-spectacular reads its settings from one object of the process, which is patched meanwhile.
_patching = Lock()


def only_ours(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's preprocessing hook: leave out the endpoints of the host project."""
    return [endpoint for endpoint in endpoints if issubclass(endpoint[3].cls, ApiView)]


def openapi_schema() -> dict[str, Any]:
    """Return the schema with the addresses of this installation. It is made once a process."""
    root = path_below_root("couriers_api:schema").removesuffix("schema/")
    with _patching:
        return _schema(settings.ROOT_URLCONF, f"{root}v1", tunables().BASE_URL.rstrip("/"))


@lru_cache(maxsize=4)
def _schema(urlconf: str, prefix: str, base_url: str) -> dict[str, Any]:
    own = {
        "VERSION": VERSION,
        "SCHEMA_PATH_PREFIX": re.escape(prefix),
        "SERVERS": [{"url": base_url}] if base_url else [],
    }
    for tries_left in reversed(range(MAX_TRIES)):
        # A schema view of the host may patch the same settings in this moment, and undo ours.
        try:
            with patched_settings(_settings() | own):
                _forget_enum_names()
                schema: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(public=True)
        except Exception:
            if not tries_left:
                raise
            continue
        finally:
            _forget_enum_names()
        if schema["info"]["version"] == VERSION:
            break
    return schema


def _forget_enum_names() -> None:
    """Have drf-spectacular read ENUM_NAME_OVERRIDES again, which it caches for the process."""
    plumbing._load_enum_name_overrides.cache_clear()


def _settings() -> dict[str, Any]:
    """Return all settings of drf-spectacular: ours, and its defaults for the others."""
    enums = {
        "ActionKindEnum": "couriers.contract.actions.ActionKind",
        "AttemptOutcomeEnum": "couriers.models.call.Outcome",
        "AskedStateEnum": "couriers.models.asked.AskedState",
        "JobStateEnum": "couriers.models.job.JobState",
        "DirectionEnum": "couriers.contract.types.Direction",
        "NoQuoteEnum": "couriers.booking.offers.NoQuote",
        "PaymentModeEnum": "couriers.contract.types.PaymentMode",
        "ManifestStateEnum": "couriers.models.manifest.ManifestState",
        "StatusEnum": "couriers.contract.statuses.Status",
        "RegistrationStateEnum": "couriers.models.warehouse.RegistrationState",
    }
    if "shipcrowd_webhooks" in apps.app_configs:
        enums["WebhookEventStateEnum"] = "webhooks.models.EventState"
    return {
        **{k: v for k, v in SPECTACULAR_DEFAULTS.items() if not _OF_THE_VIEW.match(k)},
        "TITLE": TITLE,
        "DESCRIPTION": DESCRIPTION,
        "EXTERNAL_DOCS": {
            "description": "The reference, with every field, example and problem",
            "url": path_below_root("couriers_api:reference"),
        },
        "OAS_VERSION": "3.1.0",
        "PREPROCESSING_HOOKS": ["couriers.api.documentation.only_ours"],
        "POSTPROCESSING_HOOKS": [
            "drf_spectacular.hooks.postprocess_schema_enums",
            "couriers.api.openapi.complete_components",
            "couriers.api.schema_layout.lay_out",
            "couriers.api.recordings.add_examples",
        ],
        # A body in a request and in a response are described apart: `id` is in the latter alone.
        "COMPONENT_SPLIT_REQUEST": True,
        "ENUM_NAME_OVERRIDES": enums,
    }


class SchemaFormat(Negotiation):
    """Chooses YAML or JSON by `?format=`, or without it by the Accept header."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        chosen = request.query_params.get("format")
        if not chosen:
            return super().select_renderer(request, renderers)
        matching = [renderer for renderer in renderers if renderer.format == chosen]
        if not matching:
            raise ValidationError({"format": ["must be json or yaml"]})
        return matching[0], matching[0].media_type


class SchemaView(ApiView, SpectacularAPIView):
    """GET /api/schema/: the schema as YAML, or as JSON where the client asks for it."""

    schema = None
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = SpectacularAPIView.renderer_classes
    content_negotiation_class = SchemaFormat

    @extend_schema(parameters=[OpenApiParameter("format", enum=["json", "yaml"])])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(openapi_schema())


class DocumentationView(ApiView, SpectacularSwaggerSplitView):
    """GET /api/docs/: Swagger UI."""

    schema = None
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = SpectacularSwaggerSplitView.renderer_classes
    template_name = "couriers/api_docs.html"
    template_name_js = "couriers/api_docs.js"

    def content_policy(self) -> str:
        """Allow Swagger UI, which is among the static files, to read the schema and to call."""
        assets = urlsplit(static(SWAGGER_UI))
        sources = "'self'"
        if assets.netloc:  # STATIC_URL has a host of its own
            sources += f" {assets.scheme or 'https'}://{assets.netloc}"
        return page_policy(
            "couriers/api_docs.css",
            f"script-src {sources}",
            "connect-src 'self'",
            sources=sources,
        )

    @extend_schema(parameters=[OpenApiParameter("script", bool)])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        if "script" in request.GET:
            script = {
                "schema_url": path_of("couriers_api:schema"),
                "settings": json.dumps(SWAGGER_SETTINGS),
                "oauth2_config": json.dumps({}),
                "csrf_header_name": self._get_csrf_header_name(),
                "schema_auth_names": json.dumps([]),
            }
            return Response(
                script, template_name=self.template_name_js, content_type="application/javascript"
            )
        # Swagger UI comes from the sidecar package, so that the page asks no other host.
        page = {
            "title": TITLE,
            "swagger_ui_css": static(f"{SWAGGER_UI}/swagger-ui.css"),
            "swagger_ui_bundle": static(f"{SWAGGER_UI}/swagger-ui-bundle.js"),
            "swagger_ui_standalone": static(f"{SWAGGER_UI}/swagger-ui-standalone-preset.js"),
            "favicon_href": static(f"{SWAGGER_UI}/favicon-32x32.png"),
            "script_url": f"{request.path}?script=true",
        }
        return Response(page, template_name=self.template_name)
