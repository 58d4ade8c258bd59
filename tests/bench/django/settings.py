"""The reference in Python: Django's settings, no more than the route needs."""
import os

SECRET_KEY = "bench"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
INSTALLED_APPS = ["webhooks"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": os.environ["DB_NAME"],
        "USER": "root",
        "HOST": os.environ["DB_SOCKET"],
        "CONN_MAX_AGE": None,
        "OPTIONS": {"isolation_level": "read committed"},
    }
}
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STRIPE_WEBHOOK_SECRET = os.environ["WEBHOOK_SECRET"]
