"""The shop's settings: those of a new project, and habits that the apps must not depend on."""

import os
from pathlib import Path

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "the shop's own secret key, which is long enough"
ALLOWED_HOSTS = ["127.0.0.1"]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "people",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "webhooks",
    "couriers_ekart",
    "couriers",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.cache.UpdateCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.cache.FetchFromCacheMiddleware",
]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["SHOP_DATABASE"],
        "USER": os.environ["SHOP_USER"],
        "PASSWORD": os.environ["SHOP_PASSWORD"],
        "HOST": os.environ["SHOP_HOST"],
        "PORT": os.environ["SHOP_PORT"],
        "ATOMIC_REQUESTS": True,
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "redis": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ["SHOP_REDIS"],
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
    },
}
STATIC_URL = "static/"
MEDIA_ROOT = BASE_DIR / "media"
TIME_ZONE = "UTC"
LANGUAGE_CODE = "de"

# The shop's habits.
AUTH_USER_MODEL = "people.Person"
APPEND_SLASH = False
LOGIN_URL = "/nowhere/"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_FILTER_BACKENDS": ["rest_framework.filters.SearchFilter"],
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": "0",
    "ALLOWED_VERSIONS": ["0"],
    "DEFAULT_METADATA_CLASS": None,
    "PAGE_SIZE": 1,
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "DATE_FORMAT": "%d/%m/%Y",
    "DATE_INPUT_FORMATS": ["%d/%m/%Y"],
    "DATETIME_FORMAT": "%d/%m/%Y",
    "NON_FIELD_ERRORS_KEY": "__all__",
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
    "URL_FORMAT_OVERRIDE": None,
    "URL_FIELD_NAME": "name",
}
SPECTACULAR_SETTINGS = {"TITLE": "The shop", "SCHEMA_PATH_PREFIX_TRIM": True}
FILTERS_DEFAULT_LOOKUP_EXPR = "icontains"

# What the apps need.
FERNET_KEYS = ["hR7-qLx0WnV3uYb8KzJ2tGm5dPf9EoCs1aTiNeUwXkM"]
SHIPCROWD = {"BASE_URL": os.environ["SHOP_URL"], "CACHE": "redis"}
CELERY_BROKER_URL = os.environ["SHOP_REDIS"]
CELERY_BEAT_SCHEDULE = {**SHIPCROWD_BEAT_SCHEDULE}
