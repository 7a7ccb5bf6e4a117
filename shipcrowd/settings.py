"""Settings of the Shipcrowd project. What differs between machines comes from the environment.

Without DATABASE_URL or REDIS_URL the project starts embedded servers (shipcrowd.embedded) and
generates secrets that are kept beside their data. That is for development only. With both set,
SECRET_KEY and FERNET_KEYS must be set too.
"""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE
from couriers.contract.logs import render_exception
from shipcrowd import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)

DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
EMBEDDED = not (DATABASE_URL and REDIS_URL)
if EMBEDDED:
    try:
        _servers = embedded.ensure(env.str("SHIPCROWD_EMBEDDED_INSTANCE", default="dev"))
    except embedded.EmbeddedError as error:
        # Whatever loads the settings, the message alone is shown: it says what to do.
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    DATABASE_URL = DATABASE_URL or _servers.database_url
    REDIS_URL = REDIS_URL or _servers.redis_url


# The secrets that were made up, because the environment has none (shipcrowd.E001).
MADE_UP_SECRETS: list[str] = []


def _secret(name: str) -> str:
    value = env.str(name, default="")
    if value:
        return str(value)
    if EMBEDDED or DEBUG:
        MADE_UP_SECRETS.append(name)
        return embedded.development_secret(name)
    raise ImproperlyConfigured(f"{name} is not set: set it to a long random string")


SECRET_KEY = _secret("SECRET_KEY")
FERNET_KEYS = [key.strip() for key in _secret("FERNET_KEYS").split(",") if key.strip()]

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
APP_BASE_URL = env.str("APP_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [APP_BASE_URL]
if folder := env.str("PROMETHEUS_MULTIPROC_DIR", default=""):
    # prometheus_client opens its files when it is imported, and does not create the folder.
    Path(folder).mkdir(parents=True, exist_ok=True)
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_SSL_REDIRECT else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = APP_BASE_URL.startswith("https://")
SECURE_HSTS_SECONDS = 31536000 if SECURE_SSL_REDIRECT else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "shipcrowd",  # first, so that its admin/index.html comes before unfold's
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework_api_key",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "couriers",
    "couriers_ekart",
    "webhooks",
]

MIDDLEWARE = [
    "webhooks.middleware.InboxMiddleware",  # first, so that callbacks pass none of the others
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "shipcrowd.staff.middleware.SecondFactorMiddleware",
    "axes.middleware.AxesMiddleware",  # last, so that it sees every failed login
]

ROOT_URLCONF = "shipcrowd.urls"
WSGI_APPLICATION = "shipcrowd.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A lost server is noticed within seconds, where TCP alone would take minutes.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
} | DATABASES["default"].get("OPTIONS", {})

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "shipcrowd",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 2,
            "SOCKET_TIMEOUT": 5,
            "CONNECTION_POOL_KWARGS": {"max_connections": 100},
        },
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 200_000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": "shipcrowd:",
    "visibility_timeout": 3600,
    # A request that sends a task must not wait long for a broker that is down.
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "max_retries": 1,
}
CELERY_BEAT_SCHEDULE = SHIPCROWD_BEAT_SCHEDULE

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")

# Staff logins: off, optional or required (shipcrowd.staff.second_factor).
STAFF_TOTP = env.str("STAFF_TOTP", default="optional")
OTP_TOTP_ISSUER = "Shipcrowd"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses who is locked out
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"  # counts without Redis, too
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
# What comes during a lock-out is not recorded, and does not prolong it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "shipcrowd.staff.lockout.address"
AXES_LOCKOUT_CALLABLE = "shipcrowd.staff.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "otp_token", "csrfmiddlewaretoken"]
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # Django keeps each user's last login
AXES_ENABLE_ADMIN = False  # shipcrowd.staff.admin

LANGUAGE_CODE = "en-in"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / "media"))

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

UNFOLD = {
    "SITE_TITLE": "Shipcrowd",
    "SITE_HEADER": "Shipcrowd",
    "SITE_SYMBOL": "local_shipping",
    "DASHBOARD_CALLBACK": "couriers.admin.dashboard.dashboard",
    "LOGIN": {"form": "shipcrowd.staff.login_form.LoginForm"},
    "ACCOUNT": {"navigation": "shipcrowd.staff.menu.account_links"},
}

# The keys and their defaults are in couriers.conf.
SHIPCROWD: dict[str, Any] = {
    "BASE_URL": APP_BASE_URL,
    "METRICS_TOKEN": env.str("METRICS_TOKEN", default=""),
}

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                render_exception,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": [
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "level": LOG_LEVEL}
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}

# Each parallel test worker has a Redis database of its own.
if _worker := env.str("PYTEST_XDIST_WORKER", default=""):
    REDIS_URL = f"{REDIS_URL.rsplit('/', 1)[0]}/{int(_worker.removeprefix('gw')) + 1}"
    CACHES["default"]["LOCATION"] = CELERY_BROKER_URL = REDIS_URL
