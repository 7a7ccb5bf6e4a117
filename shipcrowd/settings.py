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
from django.urls import reverse_lazy

from couriers.conf import SHIPCROWD_BEAT_SCHEDULE
from couriers.contract.logs import render_exception
from shipcrowd import embedded
from shipcrowd.environment import Env, stop, with_password

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)

DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
SERVERS_GIVEN = {"DATABASE_URL": bool(DATABASE_URL), "REDIS_URL": bool(REDIS_URL)}
EMBEDDED = not all(SERVERS_GIVEN.values())
if EMBEDDED:
    try:
        _servers = embedded.ensure(env.str("SHIPCROWD_EMBEDDED_INSTANCE", default="dev"))
    except embedded.EmbeddedError as error:
        stop(str(error))
    DATABASE_URL = DATABASE_URL or _servers.database_url
    REDIS_URL = REDIS_URL or _servers.redis_url
DATABASE_URL = with_password(DATABASE_URL, env.str("POSTGRES_PASSWORD", default=""))
REDIS_URL = with_password(REDIS_URL, env.str("REDIS_PASSWORD", default=""))


# The secrets that were made up, because the environment has none (shipcrowd.E001).
MADE_UP_SECRETS: list[str] = []


def _secret(name: str) -> str:
    value = env.str(name, default="")
    if value:
        return str(value)
    if not (EMBEDDED or DEBUG):
        stop(f"{name} is not set: set it, or {name}_FILE, to a long random string")
    MADE_UP_SECRETS.append(name)
    return embedded.development_secret(name)


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
# Probes of load balancers and Prometheus come by http, from inside.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)/?$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000 * SECURE_SSL_REDIRECT)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
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
    "webhooks",
]

MIDDLEWARE = [
    "webhooks.middleware.InboxMiddleware",  # first, so that callbacks pass none of the others
    "csp.middleware.CSPMiddleware",
    "shipcrowd.middleware.permissions_policy",
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

CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
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
STAFF_TOTP = env.str("STAFF_TOTP", default="optional")
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
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(BASE_DIR / "media"))

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# `check --deploy` would make a schema that nobody is served: the API's own settings are in
# couriers.api.documentation, and the tests read what those make.
SPECTACULAR_SETTINGS = {"ENABLE_DJANGO_DEPLOY_CHECK": False}

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
    # As many as the web server has, which reads the same variable.
    "WEB_THREADS": env.int("WEB_THREADS", default=64),
    "DEVELOPMENT": env.bool("DEVELOPMENT", default=EMBEDDED),
    "ALLOW_PRIVATE_COURIERS": env.bool("ALLOW_PRIVATE_COURIERS", default=False),
    "PROXIES": env.int("TRUSTED_PROXIES", default=0),
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
