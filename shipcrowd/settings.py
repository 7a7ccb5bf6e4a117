"""Settings of the Shipcrowd project. What differs between machines comes from the environment.

Without DATABASE_URL or REDIS_URL the project starts embedded servers (shipcrowd.embedded) and
generates secrets that are kept beside their data. That is for development only. With both set,
SECRET_KEY and FERNET_KEYS must be set too. NAME_FILE names a file that has the value of NAME.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static
from django.urls import reverse_lazy

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE
from shipcrowd import embedded, pooler
from shipcrowd.environment import stop, with_password
from shipcrowd.logs import LEVELS, STRUCTLOG, logging_config
from shipcrowd.multiprocess import prepare_folder
from shipcrowd.staff.policies import POLICIES
from shipcrowd.variables import Variables, missing, wrong

BASE_DIR = Path(__file__).resolve().parent.parent
env = Variables()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", default=False)

DATABASE_URL = env.database_url("DATABASE_URL")
REDIS_URL = env.redis_url("REDIS_URL")
SERVERS_GIVEN = {"DATABASE_URL": bool(DATABASE_URL), "REDIS_URL": bool(REDIS_URL)}
EMBEDDED = not all(SERVERS_GIVEN.values())
DEVELOPMENT = env.flag("DEVELOPMENT", default=EMBEDDED)
# A server of development beside a real one is a variable that was forgotten.
if (
    any(SERVERS_GIVEN.values())
    and EMBEDDED
    and not (DEBUG or env.flag("DEVELOPMENT", default=False))
):
    if not DATABASE_URL:
        _example = "postgres://shipcrowd@postgres:5432/shipcrowd"
        missing("DATABASE_URL", "and REDIS_URL is", _example)
    missing("REDIS_URL", "and DATABASE_URL is", "redis://valkey:6379/0")
if EMBEDDED:
    try:
        _servers = embedded.ensure(env.text("SHIPCROWD_EMBEDDED_INSTANCE", "dev"))
    except embedded.EmbeddedError as error:
        stop(str(error))
    DATABASE_URL = DATABASE_URL or _servers.database_url
    REDIS_URL = REDIS_URL or _servers.redis_url
DATABASE_URL = with_password(DATABASE_URL, env.text("POSTGRES_PASSWORD"))
REDIS_URL = with_password(REDIS_URL, env.text("REDIS_PASSWORD"))


# The secrets that were made up, because the environment has none (shipcrowd.E001).
MADE_UP_SECRETS: list[str] = []


def _secret(name: str) -> str:
    if value := env.text(name):
        return value
    if not (EMBEDDED or DEBUG):
        missing(name, "a long random string", "the output of `openssl rand -base64 32`")
    MADE_UP_SECRETS.append(name)
    return embedded.development_secret(name)


SECRET_KEY = _secret("SECRET_KEY")
FERNET_KEYS = [key.strip() for key in _secret("FERNET_KEYS").split(",") if key.strip()]
if not FERNET_KEYS:
    wrong("FERNET_KEYS", "has no key", "the output of `openssl rand -base64 32`")

ALLOWED_HOSTS = env.host_names("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
APP_BASE_URL = env.address(
    "APP_BASE_URL", "https://ship.example.com", default="http://127.0.0.1:8000"
)
CSRF_TRUSTED_ORIGINS = [APP_BASE_URL]
# Why the folder of the metrics cannot be used (shipcrowd.W030); "" where it can, or is not set.
METRICS_FOLDER_PROBLEM = prepare_folder()
# The buckets of django-prometheus, in seconds: of statements, requests and bookings.
PROMETHEUS_LATENCY_BUCKETS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, float("inf"),
)  # fmt: skip
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_SSL_REDIRECT else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = APP_BASE_URL.startswith("https://")
# Probes of load balancers and Prometheus come by http, from inside.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)/?$"]
SECURE_HSTS_SECONDS = env.whole_number(
    "SECURE_HSTS_SECONDS", default=31536000 * SECURE_SSL_REDIRECT, minimum=0, maximum=10**9
)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
# Of the admin, and of whatever sets no policy itself: the apps' own answers have stricter ones.
# Unfold evaluates expressions (Alpine.js) and styles elements inline.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

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
    "couriers_delhivery",
    "couriers_velocity",
    "webhooks",
]

MIDDLEWARE = [
    "webhooks.middleware.InboxMiddleware",  # first, so that callbacks pass none of the others
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "shipcrowd.middleware.request_id",
    "shipcrowd.middleware.RequestMetrics",
    "csp.middleware.CSPMiddleware",
    "shipcrowd.middleware.permissions_policy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "couriers.admin.staff.refusals.RefusalMiddleware",
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
# PostgreSQL's own, which counts statements.
DATABASES["default"]["ENGINE"] = "shipcrowd.postgresql"
DATABASES["default"]["CONN_MAX_AGE"] = env.whole_number(
    "CONN_MAX_AGE", default=600, minimum=0, maximum=86400
)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A lost server is noticed within seconds, where TCP alone would take minutes.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
} | DATABASES["default"].get("OPTIONS", {})
# What stands before PostgreSQL, and how `migrate` goes past it (shipcrowd.pooler).
DATABASE_POOLER = pooler.Pooler(
    env.one_of("DATABASE_POOLER", list(pooler.Pooler), default=pooler.Pooler.NONE)
)
if DATABASE_POOLER is pooler.Pooler.TRANSACTION:
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DIRECT_DATABASE: dict[str, Any] = {}
if DATABASE_DIRECT_URL := env.database_url("DATABASE_DIRECT_URL"):
    _direct = with_password(DATABASE_DIRECT_URL, env.text("POSTGRES_PASSWORD"))
    DIRECT_DATABASE = pooler.direct(DATABASES["default"], env.db_url_config(_direct))

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django_prometheus.cache.backends.redis.RedisCache",  # django-redis', counted
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "shipcrowd",
        "OPTIONS": {
            # Seconds that a Redis which hangs costs one caller; the others go on without it.
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
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
    # A worker's own: a shorter one would lose its connection, and so repeat its tasks, for a
    # hiccup. The platform sends tasks on connections of its own (couriers.resilience.broker).
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
STAFF_TOTP = env.one_of("STAFF_TOTP", POLICIES, default="optional")
OTP_TOTP_ISSUER = "Shipcrowd"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: it refuses who is locked out
    "shipcrowd.staff.backend.StaffBackend",
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
FORMAT_MODULE_PATH = ["shipcrowd.formats"]
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    # Labels are encrypted, and no other user of the machine may read them either.
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = env.folder("MEDIA_ROOT", str(BASE_DIR / "media"))

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# `check --deploy` would make a schema that nobody is served: the API's own settings are in
# couriers.api.documentation, and the tests read what those make.
SPECTACULAR_SETTINGS = {"ENABLE_DJANGO_DEPLOY_CHECK": False}

UNFOLD = {
    "SITE_TITLE": "Shipcrowd",
    "SITE_HEADER": "Shipcrowd",
    "SITE_SYMBOL": "local_shipping",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("shipcrowd/icon.svg")}
    ],
    "STYLES": [lambda _: static("shipcrowd/admin.css")],
    "SCRIPTS": [lambda _: static("shipcrowd/admin.js")],
    "DASHBOARD_CALLBACK": "couriers.admin.dashboard.dashboard",
    "GLOBAL_CALLBACK": "couriers.admin.banner.notices",
    "SIDEBAR": {
        "navigation": "couriers.admin.sidebar.navigation",
        "show_search": True,
        "command_search": True,
    },
    "LOGIN": {"form": "shipcrowd.staff.login_form.LoginForm"},
    "ACCOUNT": {"navigation": "shipcrowd.staff.menu.account_links"},
}

# The keys and their defaults are in couriers.conf.
SHIPCROWD: dict[str, Any] = {
    "BASE_URL": APP_BASE_URL,
    "METRICS_TOKEN": env.token("METRICS_TOKEN"),
    "PROMETHEUS_URL": env.address("PROMETHEUS_URL", "http://prometheus:9090"),
    # As many as the web server has, which reads the same variable.
    "WEB_THREADS": env.whole_number("WEB_THREADS", default=64, minimum=1, maximum=1024),
    "DEVELOPMENT": DEVELOPMENT,
    "ALLOW_PRIVATE_COURIERS": env.flag("ALLOW_PRIVATE_COURIERS", default=False),
    "PROXIES": env.whole_number("TRUSTED_PROXIES", default=0, minimum=0, maximum=10),
}

structlog.configure(**STRUCTLOG)
LOG_LEVEL = env.one_of("LOG_LEVEL", LEVELS, default="INFO")
LOGGING = logging_config(LOG_LEVEL)
# Where traces and errors are sent; nowhere, unless they are set (shipcrowd.telemetry).
OTEL_EXPORTER_OTLP_ENDPOINT = env.address("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
SENTRY_DSN = env.text("SENTRY_DSN")

# Each parallel test worker has a Redis database of its own.
if _worker := env.text("PYTEST_XDIST_WORKER"):
    REDIS_URL = f"{REDIS_URL.rsplit('/', 1)[0]}/{int(_worker.removeprefix('gw')) + 1}"
    CACHES["default"]["LOCATION"] = CELERY_BROKER_URL = REDIS_URL
