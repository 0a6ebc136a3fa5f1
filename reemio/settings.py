"""All settings, read from the environment; `docs/settings.md` describes each, `.env.example` lists them."""

import hashlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from environs import FileAwareEnv

from reemio.logs import logging_config

# Lets Django's classes that are generic only to the type checker (ModelAdmin, Paginator, …) be written so.
django_stubs_ext.monkeypatch()

# Each setting may come from a file instead: SECRET_KEY_FILE=/run/secrets/key. Orchestrators hand out secrets so.
env = FileAwareEnv()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- What kind of run this is ------------------------------------------------------------------------------------
APP_ENV = env.str("APP_ENV", "development")
if APP_ENV not in ("development", "production", "test"):
    # A typing error must not switch safety off.
    raise ImproperlyConfigured(f"APP_ENV is {APP_ENV!r}: use development, production or test.")
PRODUCTION = APP_ENV == "production"
DEBUG = env.bool("DEBUG", False)
# Development signs with a key that everybody knows; production has to bring its own (check reemio.E002).
SECRET_KEY = env.str("SECRET_KEY", "" if PRODUCTION else "development-only-" + "not-a-secret-" * 3)
if PRODUCTION and len(SECRET_KEY) < 40:
    raise ImproperlyConfigured("Production needs a SECRET_KEY of its own, of 50 random characters.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
REEMIO_SITE_URL = env.str("REEMIO_SITE_URL", f"http://localhost:{env.str('PORT', '8000')}")

# --- Database and Redis ------------------------------------------------------------------------------------------
POSTGRES_PARTS = {
    "HOST": env.str("POSTGRES_HOST", "localhost"),
    "PORT": env.int("POSTGRES_PORT", 5432),
    "USER": env.str("POSTGRES_USER", ""),
    "PASSWORD": env.str("POSTGRES_PASSWORD", ""),
    "NAME": env.str("POSTGRES_DB", ""),
}
DATABASE_URL = env.str("DATABASE_URL", "")


def _database(url: str) -> dict[str, Any]:
    """Return Django's entry for a database: of the URL where there is one, of the brief's five variables otherwise."""
    if not url:
        return dict(POSTGRES_PARTS)
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    entry: dict[str, Any] = {key: str(parts.pop(part, "")) for part, key in named.items()}
    return entry | {"OPTIONS": parts}


_DATABASE = _database(DATABASE_URL)
DATABASES = {
    "default": {
        "ENGINE": "reemio.database",
        **_DATABASE,
        "CONN_MAX_AGE": env.int("REEMIO_DB_CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": _DATABASE.get("OPTIONS", {}) | {"connect_timeout": 10},
        "STATEMENT_TIMEOUT_MS": env.int("REEMIO_DB_STATEMENT_TIMEOUT_MS", 0),
        "LOCK_TIMEOUT_MS": env.int("REEMIO_DB_LOCK_TIMEOUT_MS", 0),
        # Behind PgBouncer in transaction mode a session is nobody's: nothing is set, prepared or left open in one.
        "POOLED": env.bool("REEMIO_DB_POOLED", False),
        "DISABLE_SERVER_SIDE_CURSORS": env.bool("REEMIO_DB_POOLED", False),
        "TEST": {"NAME": "test_" + (_DATABASE["NAME"] or "reemio")},
    }
}
# The dashboard's figures are read from here; everything else from the one above.
ANALYTICS_DATABASE_URL = env.str("ANALYTICS_DATABASE_URL", "")
if ANALYTICS_DATABASE_URL:
    _ANALYTICS = _database(ANALYTICS_DATABASE_URL)
    DATABASES["analytics"] = {
        **DATABASES["default"],
        **_ANALYTICS,
        "OPTIONS": _ANALYTICS["OPTIONS"] | {"connect_timeout": 2},
        "TEST": {"MIRROR": "default"},
    }
DATABASE_ROUTERS = ["reemio.database.reading.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_HOST = env.str("REDIS_HOST", "localhost")
REDIS_PORT = env.int("REDIS_PORT", 6379)
REDIS_URL = env.str("REDIS_URL", f"redis://{REDIS_HOST}:{REDIS_PORT}/0")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "reemio",
        "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1},
    }
}
# Losing the cache makes requests slower, never wrong: the loss is logged, not raised.
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

# --- Celery ------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = env.int("REEMIO_TASK_TIME_LIMIT", 3600)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"
# Beat's ticks are seeded by migrations in UTC and carry their own time zone; see docs/operations.md.
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Apps and middleware -----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "reemio.apps.ReemioConfig",
    "reemio.apps.ReemioAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "corsheaders",
    "csp",
    "django_prometheus",
    "django_celery_beat",
    "anymail",
    "django_structlog",
    "axes",
    "reemio.access.apps.AccessConfig",
    "reemio.pulse.apps.PulseConfig",
    "reemio.audit.apps.AuditConfig",
    "reemio.retention.apps.RetentionConfig",
    "catalog.apps.CatalogConfig",
    "interactions.apps.InteractionsConfig",
    "recommendations.apps.RecommendationsConfig",
    "campaigns.apps.CampaignsConfig",
    "analytics.apps.AnalyticsConfig",
    "reemio.demo.apps.DemoConfig",
]
MIDDLEWARE = [
    "reemio.health.probes_come_by_address",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "reemio.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "reemio.api.caching.answers_are_not_kept",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "reemio.urls"
WSGI_APPLICATION = "reemio.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The demo's shop with its X-ray, at /; a real shop's pages are its own.
REEMIO_DEMO_SHOP = env.bool("REEMIO_DEMO_SHOP", not PRODUCTION)

# --- Language, time, static files --------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
REEMIO_SHOP_TIME_ZONE = env.str("REEMIO_SHOP_TIME_ZONE", "UTC")
REEMIO_SHOP_NAME = env.str("REEMIO_SHOP_NAME", "Reemio demo shop")
REEMIO_DEFAULT_CURRENCY = env.str("REEMIO_DEFAULT_CURRENCY", "USD")
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
# These names carry a version or a digest of the content: whoever has the file never has to ask again.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/(reemio/reemio-\d+\.\d+\.\d+\.(js|css)|.+\.[0-9a-f]{12}\..+)$"

# --- HTTP: limits, security, CORS --------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = env.bool("REEMIO_SSL_REDIRECT", PRODUCTION)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("REEMIO_BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = env.int("REEMIO_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
# Orchestrators and scrapers ask over plain HTTP, from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = PRODUCTION
CORS_ALLOWED_ORIGINS: list[str] = env.list("REEMIO_CORS_ORIGINS", [])
CORS_ALLOW_ALL_ORIGINS = env.bool("REEMIO_CORS_ALLOW_ALL", not PRODUCTION)
CORS_URLS_REGEX = r"^/api/v1/.*$"
# What the tracker reads on another origin: how long the engine took, and what time it is here.
CORS_EXPOSE_HEADERS = ["Server-Timing", "Date", "Retry-After"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "https:"],
        "style-src": [SELF, NONCE],
        "script-src": [SELF, NONCE],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Ten wrong passwords for one name from one address: nothing more is tried for a quarter of an hour. Counted in Redis
# only, since names and addresses are personal data.
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "reemio.access.callers.address_of"
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- API ---------------------------------------------------------------------------------------------------------
REEMIO_API_ROOT = "/api/"
REEMIO_REQUIRE_API_KEY = env.bool("REEMIO_REQUIRE_API_KEY", PRODUCTION)
# How many proxies stand before us, each of which appends to X-Forwarded-For; 0: the peer is the caller.
REEMIO_PROXY_COUNT = env.int("REEMIO_PROXY_COUNT", 0)
# Signs the tokens with which browsers prove whom they speak for; shared with the shop's server.
REEMIO_IDENTITY_SECRET = (
    env.str("REEMIO_IDENTITY_SECRET", "") or hashlib.sha256(f"identity:{SECRET_KEY}".encode()).hexdigest()
)
REEMIO_THROTTLE_READ = env.str("REEMIO_THROTTLE_READ", "6000/min")
REEMIO_THROTTLE_WRITE = env.str("REEMIO_THROTTLE_WRITE", "3000/min")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "reemio.access.authentication.ApiKeyAuthentication",
        "reemio.access.authentication.AdminSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["reemio.access.permissions.SecretKey"],
    "DEFAULT_THROTTLE_CLASSES": ["reemio.api.throttling.PerCallerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["reemio.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "reemio.api.schema.AutoSchema",
    "NUM_PROXIES": REEMIO_PROXY_COUNT,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "iso-8601",
    "STRICT_JSON": True,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "reemio.api.errors.ExceptionHandler",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "NESTED_FIELD_SEPARATOR": ".",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Reemio API",
    "DESCRIPTION": "Recommendations, search and interactions for an online shop.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "reemio.api.schema.loosen_batches",
        "reemio.api.schema.name_types_once",
    ],
}

# --- Requests that we send ---------------------------------------------------------------------------------------
# Networks that are not public and may be asked all the same; where a shop's API lives beside us.
REEMIO_OUTGOING_NETWORKS: list[str] = env.list(
    "REEMIO_OUTGOING_NETWORKS",
    [] if PRODUCTION else ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
)

# --- Catalogue ---------------------------------------------------------------------------------------------------
ECOMMERCE_API_URL = env.str("ECOMMERCE_API_URL", "")
ECOMMERCE_API_TOKEN = env.str("ECOMMERCE_API_TOKEN", "")
# Where the shop's API calls a field by another name: {"product_id": "sku", "stock_quantity": "inventory.available"}.
ECOMMERCE_FIELD_MAP = env.json("ECOMMERCE_FIELD_MAP", {})
ECOMMERCE_TIMEOUT_SECONDS = env.float("ECOMMERCE_TIMEOUT_SECONDS", 20.0)
ECOMMERCE_MAX_RETRIES = env.int("ECOMMERCE_MAX_RETRIES", 5)

# --- Analytics ---------------------------------------------------------------------------------------------------
# How long after a click a purchase of what was clicked is credited to it.
REEMIO_ATTRIBUTION_DAYS = env.int("REEMIO_ATTRIBUTION_DAYS", 7)
REEMIO_EMAIL_ATTRIBUTION_DAYS = env.int("REEMIO_EMAIL_ATTRIBUTION_DAYS", 5)

# --- Retention: days that each kind of data is kept; 0: for ever --------------------------------------------------
REEMIO_KEEP_INTERACTIONS_DAYS = env.int("REEMIO_KEEP_INTERACTIONS_DAYS", 0)
REEMIO_KEEP_SERVED_LISTS_DAYS = env.int("REEMIO_KEEP_SERVED_LISTS_DAYS", 400)
REEMIO_KEEP_SEARCH_TEXTS_DAYS = env.int("REEMIO_KEEP_SEARCH_TEXTS_DAYS", 400)
REEMIO_KEEP_INBOX_DAYS = env.int("REEMIO_KEEP_INBOX_DAYS", 90)
REEMIO_KEEP_GUEST_TASTES_DAYS = env.int("REEMIO_KEEP_GUEST_TASTES_DAYS", 90)
REEMIO_KEEP_MAILS_DAYS = env.int("REEMIO_KEEP_MAILS_DAYS", 400)
REEMIO_KEEP_UNSENT_MAILS_DAYS = env.int("REEMIO_KEEP_UNSENT_MAILS_DAYS", 90)
REEMIO_KEEP_SYNCS_DAYS = env.int("REEMIO_KEEP_SYNCS_DAYS", 90)
REEMIO_KEEP_AUDIT_DAYS = env.int("REEMIO_KEEP_AUDIT_DAYS", 730)

# --- Engine ------------------------------------------------------------------------------------------------------
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", "sentence-transformers/all-MiniLM-L6-v2")
RERANKER_MODEL = env.str("RERANKER_MODEL", "cross-encoder/ms-marco-MiniLM-L-6-v2")
# Whoever names a model wants it used; the default one reranks where tuning has shown that it helps.
REEMIO_RERANK_PLACEMENTS = env.list(
    "REEMIO_RERANK_PLACEMENTS", ["homepage", "product", "cart"] if env.str("RERANKER_MODEL", "") else []
)
REEMIO_RERANK_BUDGET_MS = env.int("REEMIO_RERANK_BUDGET_MS", 60)
# With up to this many products each web process keeps their vectors: 2 kB a product, and no query for what is near.
REEMIO_VECTORS_IN_MEMORY = env.int("REEMIO_VECTORS_IN_MEMORY", 100_000)
# Where cross-encoders that are trained here are kept; empty: `models` in the state directory.
REEMIO_MODELS_DIR = env.str("REEMIO_MODELS_DIR", "")
# Where neighbours, bought together and popularity are learned: in the worker's memory, or by Spark.
REEMIO_TRAINING_ENGINE = env.str("REEMIO_TRAINING_ENGINE", "local")
REEMIO_SPARK_MASTER = env.str("REEMIO_SPARK_MASTER", "local[*]")
# Every executor has to see this folder; empty: `spark` in the state directory.
REEMIO_SPARK_DIR = env.str("REEMIO_SPARK_DIR", "")
REEMIO_SPARK_CONF: Any = env.json("REEMIO_SPARK_CONF", {})
REEMIO_SPARK_ROWS_A_TASK = env.int("REEMIO_SPARK_ROWS_A_TASK", 2_000_000)
# What Spark does not learn (similar shoppers, repeats, tuned signals) is learned from the latest so many events.
REEMIO_SPARK_RECENT_EVENTS = env.int("REEMIO_SPARK_RECENT_EVENTS", 20_000_000)
REEMIO_AUTO_TUNE = env.bool("REEMIO_AUTO_TUNE", True)

# --- E-mail -----------------------------------------------------------------------------------------------------
# Where mails go: a local mailbox that the admin shows, an SMTP server, or a provider that anymail knows.
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", "smtp" if env.str("EMAIL_HOST", "") else "mailbox").lower()
REEMIO_MAILBOX_PORT = env.int("REEMIO_MAILBOX_PORT", env.int("PORT", 8000) + 25)
EMAIL_HOST = env.str("EMAIL_HOST", "localhost") if EMAIL_PROVIDER == "smtp" else "127.0.0.1"
EMAIL_PORT = env.int("EMAIL_PORT", 25) if EMAIL_PROVIDER == "smtp" else REEMIO_MAILBOX_PORT
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 10)
REEMIO_EMAIL_BACKEND = (
    "campaigns.sending.smtp.StagedEmailBackend"
    if EMAIL_PROVIDER in ("smtp", "mailbox")
    else f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
)
EMAIL_BACKEND = REEMIO_EMAIL_BACKEND
# A provider's own settings, by the names that anymail gives them: ANYMAIL_MAILGUN_API_KEY and so on. Without a secret
# for its webhooks they are closed: a random one is not known to anybody.
ANYMAIL = {
    "WEBHOOK_SECRET": f"closed:{secrets.token_urlsafe(32)}",
    **{name.removeprefix("ANYMAIL_"): value for name, value in os.environ.items() if name.startswith("ANYMAIL_")},
}
REEMIO_MAIL_FROM = env.str("REEMIO_MAIL_FROM", "" if PRODUCTION else f"{REEMIO_SHOP_NAME} <shop@example.com>")
DEFAULT_FROM_EMAIL = REEMIO_MAIL_FROM or "webmaster@localhost"
REEMIO_MAIL_REPLY_TO = env.str("REEMIO_MAIL_REPLY_TO", "")
# The shop's front page and cart, where the buttons of mails lead; a path is below REEMIO_SITE_URL.
REEMIO_SHOP_URL = env.str("REEMIO_SHOP_URL", "/")
REEMIO_SHOP_CART_URL = env.str("REEMIO_SHOP_CART_URL", "/shop/cart")
REEMIO_SHOP_ADDRESS = env.str("REEMIO_SHOP_ADDRESS", "" if PRODUCTION else "Biashara Street 12, Nairobi")
# Outside of production only these addresses and @domains get mail; "*" means everybody.
REEMIO_MAIL_ALLOWLIST: list[str] = env.list("REEMIO_MAIL_ALLOWLIST", ["*"] if PRODUCTION else ["@example.com"])
# Hashes of addresses and tokens of links are made with it: with another one, nobody who left would be recognised.
REEMIO_MAIL_KEY = env.str("REEMIO_MAIL_KEY", "") or SECRET_KEY

# --- Observability -----------------------------------------------------------------------------------------------
SENTRY_DSN = env.str("SENTRY_DSN", "")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", "")
REEMIO_METRICS_TOKEN = env.str("REEMIO_METRICS_TOKEN", "")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOG_FORMAT = env.str("LOG_FORMAT", "json" if PRODUCTION else "console")
LOGGING = logging_config(level=LOG_LEVEL, output=LOG_FORMAT)
structlog.configure_once(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
# Who asked is personal data, and stays out of the logs.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# The id that a proxy or the shop gave, where it is one: see reemio/logs.py.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True

SILENCED_SYSTEM_CHECKS: list[str] = []
