"""Settings of the portal. Everything that differs by place comes from the environment (see .env.example)."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from psc_portal import local_servers

BASE_DIR = Path(__file__).resolve().parent.parent


def flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


# The place -----------------------------------------------------------------------------------------------------------
DEBUG = flag("DEBUG")
MAINTENANCE = flag("MAINTENANCE")  # every page says that the website is being updated
DEMO = flag("DEMO")  # demonstration users may log in, plain http is accepted; script/demo sets it
PORTAL_URL = os.environ.get("PORTAL_URL", "https://localhost").rstrip("/")
_address = urlsplit(PORTAL_URL)
IS_HTTPS = _address.scheme == "https"
if not _address.hostname or _address.scheme not in {"http", "https"}:
    raise ImproperlyConfigured("PORTAL_URL must be an address such as https://portal.example.nhs.uk")
if not IS_HTTPS and not DEMO:
    raise ImproperlyConfigured("PORTAL_URL must start with https:// (plain http is for the demonstration, DEMO=1)")

SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY and (path := os.environ.get("SECRET_KEY_FILE")):
    SECRET_KEY = Path(path).read_text().strip()
if len(SECRET_KEY) < 40:
    raise ImproperlyConfigured(
        "Set SECRET_KEY, or SECRET_KEY_FILE, to at least 40 random characters: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )

ALLOWED_HOSTS = [_address.hostname]
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]

# The collaborative: whose portal this is -----------------------------------------------------------------------------
COLLABORATIVE = {
    "name": os.environ.get("COLLABORATIVE_NAME", "East Midlands Patient Safety Collaborative"),
    "short_name": os.environ.get("COLLABORATIVE_SHORT_NAME", "East Midlands PSC"),
    "region": os.environ.get("COLLABORATIVE_REGION", "East Midlands"),
    "in_region": os.environ.get("COLLABORATIVE_IN_REGION", ""),  # as it stands after "in"; set below if left out
    "network": os.environ.get("COLLABORATIVE_NETWORK", "East Midlands Academic Health Science Network"),
    "network_short": os.environ.get("COLLABORATIVE_NETWORK_SHORT", "EMAHSN"),
    "email": os.environ.get("COLLABORATIVE_EMAIL", "patient.safety@portal.example"),
    "phone": os.environ.get("COLLABORATIVE_PHONE", ""),
    "address": os.environ.get("COLLABORATIVE_ADDRESS", ""),
    "pledges_note": os.environ.get(
        "COLLABORATIVE_PLEDGES_NOTE",
        "These are regional commitments in the spirit of Sign up to Safety. The national campaign has closed.",
    ),
    "logo_text": os.environ.get("COLLABORATIVE_LOGO_TEXT", "Patient Safety Collaborative"),
}
COLLABORATIVE["in_region"] = COLLABORATIVE["in_region"] or f"the {COLLABORATIVE['region']}"
OPEN_DATA_LICENCE = {  # of text and data of the website, and of its downloads
    "id": os.environ.get("OPEN_DATA_LICENCE_ID", "OGL-UK-3.0"),  # as opendefinition.org calls it
    "name": os.environ.get("OPEN_DATA_LICENCE_NAME", "Open Government Licence v3.0"),
    "url": os.environ.get(
        "OPEN_DATA_LICENCE_URL", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
    ),
}
REFERENCE_PREFIX = os.environ.get("REFERENCE_PREFIX", "EM")  # EM-2026-0007
THEME = {  # colours of header, links and buttons; checked for contrast by a system check
    "brand": os.environ.get("THEME_BRAND", "#005eb8"),
    "link": os.environ.get("THEME_LINK", "#005eb8"),
    "button": os.environ.get("THEME_BUTTON", "#007f3b"),
}
NHS_LOGO_FILE = os.environ.get("NHS_LOGO_FILE", "")  # only a host entitled to the NHS identity names these files
NHS_FONT_FOLDER = os.environ.get("NHS_FONT_FOLDER", "")
PLEDGE_FRESHNESS_DAYS = {"due": 150, "overdue": 183, "lapsed": 365}  # days since the last dated update
CHECK_EXTERNAL_LINKS = flag("CHECK_EXTERNAL_LINKS")  # the worker asks other websites whether our links to them work
EVENT_PEOPLE_KEPT_DAYS = 180  # after an event names and addresses are erased; what people needed to take part at once
PLEDGE_REMINDER_DAYS_BEFORE = 14  # how long before each of these steps the organisation is written to

# Applications --------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "psc_portal.common.admin_config.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "psc_portal",
    "psc_portal.common",
    "psc_portal.accounts",
    "psc_portal.search",
    "psc_portal.content",
    "projects",
    "measurement",
    "pledges",
    "proposals",
    "psc_portal.annual_report",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "psc_portal.common.maintenance.MaintenancePage",
    "psc_portal.accounts.middleware.PrivatePages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "psc_portal.accounts.middleware.SessionLimits",
    "psc_portal.accounts.middleware.SecondFactorRequired",
]
ROOT_URLCONF = "psc_portal.urls"
WSGI_APPLICATION = "psc_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "psc_portal.common.context.portal",
            ],
            "builtins": ["psc_portal.common.templatetags.portal"],
        },
    }
]
FORM_RENDERER = "psc_portal.common.form_renderer.FormRenderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = ("nhsuk",)
CRISPY_TEMPLATE_PACK = "nhsuk"
CRISPY_FAIL_SILENTLY = False

# Data ----------------------------------------------------------------------------------------------------------------
DATABASE_URL = os.environ.get("DATABASE_URL") or local_servers.database_url()
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5
DATABASES["default"]["TEST"] = {"NAME": f"test_portal_{os.getpid()}"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL") or local_servers.redis_url()
CACHES = {
    "default": {
        "BACKEND": "psc_portal.common.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "portal",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

KEEP_PUBLIC_PAGES = True  # for visitors who are not logged in: common/public_pages.py

# Files ---------------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("css", BASE_DIR / "build" / "css"),
    ("js", BASE_DIR / "build" / "js"),
    ("assets", BASE_DIR / "build" / "assets"),
]
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", local_servers.data_folder() / "media"))  # private: served by views only
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
UPLOAD_MAX_BYTES = 10 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
CLAMD_URL = os.environ.get(
    "CLAMD_URL", ""
)  # tcp://host:3310 or unix:/path: uploads are scanned before anyone gets them

# Accounts ------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["psc_portal.accounts.backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "psc_portal.accounts.password_validation.CommonCoreValidator"},
    {"NAME": "psc_portal.accounts.password_validation.ContextWordsValidator"},
]
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "psc_portal.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _address.scheme
ACCOUNT_CHANGE_EMAIL = True  # one address each: a new one replaces the old when it is confirmed
ACCOUNT_SESSION_REMEMBER = False  # the cookie ends with the browser; accounts.sessions has the limits
ACCOUNT_FORMS = {
    "login": "psc_portal.accounts.forms.LoginForm",
    "signup": "psc_portal.accounts.forms.SignupForm",
    "add_email": "psc_portal.accounts.forms.AddEmailForm",
    "change_password": "psc_portal.accounts.forms.ChangePasswordForm",
    "set_password": "psc_portal.accounts.forms.SetPasswordForm",
    "reset_password": "psc_portal.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "psc_portal.accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "psc_portal.accounts.forms.PasswordAgainForm",
}
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
MFA_ADAPTER = "psc_portal.accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
MFA_TOTP_ISSUER = COLLABORATIVE["short_name"]
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off; accounts.forms.spend keeps a code from being used twice
MFA_KEY = os.environ.get("MFA_KEY", "")  # encrypts second factors at rest; SECRET_KEY where it is not set
MFA_FORMS = {
    "authenticate": "psc_portal.accounts.forms.AuthenticateForm",
    "reauthenticate": "psc_portal.accounts.forms.ReauthenticateForm",
    "activate_totp": "psc_portal.accounts.forms.ActivateTOTPForm",
    "add_webauthn": "psc_portal.accounts.forms.AddPasskeyForm",
}
SESSION_COOKIE_AGE = 7 * 24 * 60 * 60  # the longest a session can last; shorter for staff
USERSESSIONS_TRACK_ACTIVITY = False
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXY_COUNT", "0"))

# Security ------------------------------------------------------------------------------------------------------------
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if flag("BEHIND_TLS_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "psc_portal.common.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"

# Mail: written to the outbox table, sent by the worker ---------------------------------------------------------------
DEFAULT_FROM_EMAIL = os.environ.get(
    "DEFAULT_FROM_EMAIL", f"{COLLABORATIVE['short_name']} <no-reply@{_address.hostname}>"
)
if mail_url := os.environ.get("EMAIL_URL"):  # smtp://user:password@host:587?tls=1
    _mail = urlsplit(mail_url)
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": _mail.hostname,
                "port": _mail.port or 25,
                "username": _mail.username or "",
                "password": _mail.password or "",
                "use_tls": "tls=1" in _mail.query,
                "timeout": 20,
            },
        }
    }
else:  # nothing leaves the machine; the outbox shows what would have been sent
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}}

# Jobs ----------------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 150
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 1800,  # longer than the longest task
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "max_retries": 1,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "annual_report.render": {"queue": "rendering"},
    "proposals.analyse_ranking": {"queue": "reports"},
    "proposals.make_copy": {"queue": "reports"},
    "pledges.make_certificate": {"queue": "reports"},
    "measurement.handle_file": {"queue": "reports"},
    "proposals.make_minutes": {"queue": "reports"},
}
CELERY_TIMEZONE = "Europe/London"
CELERY_BEAT_SCHEDULE = {
    "send what waits in the outbox": {"task": "common.sweep_outbox", "schedule": 10.0},
    "pick up renderings that a crash left behind": {"task": "annual_report.sweep", "schedule": 15.0},
    "make the PDF copies that a crash left out": {"task": "proposals.sweep_copies", "schedule": 120.0},
    "make the certificates that a crash left out": {"task": "pledges.sweep_certificates", "schedule": 150.0},
    "remind of calls that open or close": {"task": "proposals.remind", "schedule": 600.0},
    "make the minutes that a crash left unmade": {"task": "proposals.sweep_minutes", "schedule": 300.0},
    "scan files whose scan was missed": {"task": "proposals.scan_waiting", "schedule": 60.0},
    "thin out what pages saved by themselves": {
        "task": "proposals.thin_out_versions",
        "schedule": crontab(hour=3, minute=40),
    },
    "learn the words of what is public": {"task": "search.learn_words", "schedule": 600.0},
    "send digests that are due": {"task": "projects.send_digests", "schedule": crontab(hour=7, minute=10)},
    "clear expired sessions": {"task": "common.clear_sessions", "schedule": crontab(hour=3, minute=20)},
    "follow the links of our pages": {"task": "content.check_links", "schedule": crontab(hour=4, minute=20)},
    "forget who came to past events": {
        "task": "projects.erase_registrations",
        "schedule": crontab(hour=2, minute=50),
    },
    "remind of what is due": {"task": "pledges.remind", "schedule": crontab(hour=7, minute=30)},
    "find interests in proposals": {"task": "proposals.infer_conflicts", "schedule": crontab(hour=5, minute=10)},
    "pick up imports that a crash left behind": {"task": "measurement.sweep_files", "schedule": 30.0},
    "remind of data that are late": {"task": "measurement.remind", "schedule": crontab(hour=7, minute=50)},
    "remind reviewers": {"task": "proposals.remind_reviewers", "schedule": crontab(hour=7, minute=40)},
}

# Words and time ------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
