"""Settings, read from the environment; docs/reference/settings.md lists each one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from makegood.kit.postgres import connect

BASE = Path(__file__).resolve().parent.parent
DATA_DIR = connect.data_dir()
UPLOADS_DIR = DATA_DIR / "uploads"
POLICIES_DIR = Path(os.environ.get("MAKEGOOD_POLICIES") or BASE.parent / "policies").resolve()
PORT = int(os.environ.get("PORT", "8000"))
DEBUG = False


def _secret_key() -> str:
    """The configured key, else one made once and kept in the data folder with the rights of its owner."""
    if given := os.environ.get("MAKEGOOD_SECRET_KEY"):
        return given
    kept = DATA_DIR / "secret_key"
    if not kept.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass  # another process of ours was faster
    return kept.read_text()


SECRET_KEY = _secret_key()
SIGNING_KEY = SECRET_KEY  # tokens of /track and decision receipts

_database = {"ENGINE": "makegood.kit.postgres.backend", "CONN_MAX_AGE": None}
DATABASES = {
    "default": {**_database, **connect.django_database("app")},
    "owner": {**_database, **connect.django_database("owner")},
}

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
    "makegood.accounts",
    "makegood.customers",
    "makegood.orders",
    "makegood.ledger",
    "makegood.cases",
    "makegood.settlement",
    "makegood.portal",
    "makegood.desk",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
ROOT_URLCONF = "makegood.config.urls"
WSGI_APPLICATION = "makegood.config.wsgi.application"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
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
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
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
