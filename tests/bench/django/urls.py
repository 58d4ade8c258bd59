"""Routes."""
from django.urls import path

from webhooks.views import stripe_webhook

urlpatterns = [path("api/webhooks/stripe/", stripe_webhook)]
