"""Settings, read from the environment; docs/reference/settings.md lists each one."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import uuid
from pathlib import Path

from makegood.config import logs, words
from makegood.kit.kept import kept
from makegood.kit.postgres import connect

BASE = Path(__file__).resolve().parent.parent
DATA_DIR = connect.data_dir()
UPLOADS_DIR = DATA_DIR / "uploads"
POLICIES_DIR = Path(os.environ.get("MAKEGOOD_POLICIES") or BASE.parent / "policies").resolve()
PORT = int(os.environ.get("PORT", "8000"))
DEBUG = False


def _secret_key() -> str:
    return os.environ.get("MAKEGOOD_SECRET_KEY") or kept(DATA_DIR, "secret_key", lambda: secrets.token_urlsafe(48))


SECRET_KEY = _secret_key()
SIGNING_KEY = SECRET_KEY  # tokens of /track; receipts have keys of their own (kit.signing)


def _environment() -> str:
    """The id of this deployment, configured or made once; a copied database alone does not bring it along."""
    return os.environ.get("MAKEGOOD_ENVIRONMENT") or kept(DATA_DIR, "environment", lambda: str(uuid.uuid4()))


ENVIRONMENT = _environment()

# Behind a proxy that speaks TLS: cookies only over https, and browsers are told to stay there.
HTTPS = os.environ.get("MAKEGOOD_HTTPS", "") in {"1", "true", "yes"}
# A demonstration shows letters on the page, because no letter leaves the machine.
DEMO = os.environ.get("MAKEGOOD_DEMO", "") in {"1", "true", "yes"}
# Mail out through a provider instead of each mailbox's own server: a mail backend of Django, such as one of Anymail's.
MAIL_BACKEND = os.environ.get("MAKEGOOD_MAIL_BACKEND", "")
ANYMAIL = json.loads(os.environ.get("MAKEGOOD_ANYMAIL") or "{}")
LOG_LEVEL = os.environ.get("MAKEGOOD_LOG_LEVEL", "INFO").upper()

_database = {"ENGINE": "makegood.kit.postgres.backend", "CONN_MAX_AGE": None}
_app = connect.django_database("app")
# Statements prepared by the server: planning the longer reads again each time costs more than running them.
_app["OPTIONS"] = {**_app["OPTIONS"], "server_side_binding": True, "prepare_threshold": 3}
DATABASES = {
    "default": {**_database, **_app},
    "owner": {**_database, **connect.django_database("owner")},
}

# Networks inside the own walls that webhooks may be sent to; none unless the operator says so.
OUTGOING_NETWORKS = tuple(
    ipaddress.ip_network(network.strip())
    for network in os.environ.get("MAKEGOOD_OUTGOING_NETWORKS", "").split(",")
    if network.strip()
)

# Where people reach the pages: links in mails begin with it.
PUBLIC_URL = (os.environ.get("MAKEGOOD_URL") or f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = os.environ.get("MAKEGOOD_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
USE_X_FORWARDED_HOST = False
AUTH_USER_MODEL = "accounts.Staff"
AUTHENTICATION_BACKENDS = ["makegood.accounts.sign_in.MerchantBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "ninja",
    "procrastinate.contrib.django",
    "makegood.kit",
    "makegood.kit.pages",
    "makegood.accounts",
    "makegood.customers",
    "makegood.orders",
    "makegood.ledger",
    "makegood.policy",
    "makegood.cases",
    "makegood.settlement",
    "makegood.conversations",
    "makegood.calls",
    "makegood.timeliness",
    "makegood.webhooks",
    "makegood.workbench",
    "makegood.voice",
    "makegood.portal",
    "makegood.desk",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
ROOT_URLCONF = "makegood.config.urls"
WSGI_APPLICATION = "makegood.config.wsgi.application"

MIDDLEWARE = [
    "makegood.config.middleware.RequestId",
    "makegood.config.middleware.ProtectiveHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "makegood.config.middleware.ApiProblems",
    "makegood.config.middleware.BoundedBody",
    "makegood.config.middleware.MerchantInSight",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE / "locale"]
words.compile_words(BASE / "locale")
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True  # files are served from where they are installed; nothing is collected

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-makegood" if HTTPS else "makegood"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_NAME = "__Host-makegood-csrf" if HTTPS else "makegood-csrf"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000  # bytes of a body that is not a form with files
UPLOAD_BYTES_MAX = 110_000_000  # bytes of a form with files
LOGGING_CONFIG = None
logs.configure(LOG_LEVEL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
