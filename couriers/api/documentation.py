"""The OpenAPI schema of the API, and Swagger UI with it.

The schema lists the platform's views alone, under the addresses that the project gives them. A
host's SPECTACULAR_SETTINGS have no effect on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.base import ApiView
from couriers.conf import tunables
from couriers.models.addresses import path_below_root, path_of

try:
    VERSION = version("shipcrowd")
except PackageNotFoundError:  # the source is on the path, but not installed
    VERSION = "0+unknown"
MAX_TRIES = 5
# drf-spectacular takes these from the view, and refuses them as custom settings.
_OF_THE_VIEW = re.compile(r"SERVE_|DEFAULT_GENERATOR_CLASS$")
_SETTINGS: dict[str, Any] = {
    **{key: value for key, value in SPECTACULAR_DEFAULTS.items() if not _OF_THE_VIEW.match(key)},
    "TITLE": "Shipcrowd",
    "DESCRIPTION": "Book and follow shipments with any courier: one order, one shipment.",
    "OAS_VERSION": "3.1.0",
    # Swagger UI comes from the package, so that the page asks no other host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["couriers.api.documentation.only_ours"],
    "ENUM_NAME_OVERRIDES": {
        "JobStateEnum": "couriers.models.job.JobState",
        "WebhookEventStateEnum": "webhooks.models.EventState",
        "ManifestStateEnum": "couriers.models.manifest.ManifestState",
        "RegistrationStateEnum": "couriers.models.warehouse.RegistrationState",
    },
}
# drf-spectacular reads its settings from one object of the process, which is patched meanwhile.
_patching = Lock()


def only_ours(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's preprocessing hook: leave out the endpoints of the host project."""
    return [endpoint for endpoint in endpoints if issubclass(endpoint[3].cls, ApiView)]


def openapi_schema() -> dict[str, Any]:
    """Return the schema with the addresses of this installation. It is made once a process."""
    with _patching:
        root = path_below_root("couriers_api:schema").removesuffix("schema/")
        for _ in range(MAX_TRIES):
            schema = _schema(settings.ROOT_URLCONF, f"{root}v1", tunables().BASE_URL)
            if schema["info"]["version"] == VERSION:
                break
            # A schema view of the host with custom settings has ended meanwhile and undone ours.
            _schema.cache_clear()
        return schema


@lru_cache(maxsize=4)
def _schema(urlconf: str, prefix: str, base_url: str) -> dict[str, Any]:
    own = {
        "VERSION": VERSION,
        "SCHEMA_PATH_PREFIX": re.escape(prefix),
        "SERVERS": [{"url": base_url}] if base_url else [],
    }
    with patched_settings(_SETTINGS | own):
        schema: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(public=True)
    return schema


class SchemaView(ApiView, SpectacularAPIView):
    """GET /api/schema/: the schema as YAML, or as JSON where the client asks for it."""

    schema = None
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = SpectacularAPIView.renderer_classes

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(openapi_schema())


class DocumentationView(ApiView, SpectacularSwaggerSplitView):
    """GET /api/docs/: Swagger UI."""

    schema = None
    authentication_classes = ()
    permission_classes = (AllowAny,)
    renderer_classes = SpectacularSwaggerSplitView.renderer_classes
    title = "Shipcrowd"

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.url = path_of("couriers_api:schema")
        with _patching, patched_settings(_SETTINGS):
            response: Response = super().get(request, *args, **kwargs)
            return response
