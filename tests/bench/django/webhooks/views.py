"""The webhook, as Stripe's documentation shows it for Django."""
from datetime import datetime, timezone

import stripe
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .models import Payment, WebhookEvent


def apply_payment(payment, updated):
    """The row follows the newest event."""
    values = {
        "status": payment.status,
        "amount": payment.amount,
        "currency": payment.currency,
        "customer": payment.customer,
        "user_id": payment.metadata.get("user_id"),
        "updated": updated,
    }
    row, created = Payment.objects.select_for_update().get_or_create(
        id=payment.id, defaults=values
    )
    if not created and updated >= row.updated:
        Payment.objects.filter(id=payment.id).update(**values)


@csrf_exempt
@require_POST
def stripe_webhook(request):
    try:
        event = stripe.Webhook.construct_event(
            request.body,
            request.META["HTTP_STRIPE_SIGNATURE"],
            settings.STRIPE_WEBHOOK_SECRET,
        )
    except (KeyError, ValueError, stripe.error.SignatureVerificationError):
        return HttpResponse(status=400)
    when = datetime.fromtimestamp(event.created, timezone.utc)
    with transaction.atomic():
        _, is_new = WebhookEvent.objects.get_or_create(
            id=event.id,
            defaults={
                "type": event.type,
                "payload": request.body.decode(),
                "created": when,
            },
        )
        if is_new and event.data.object.object == "payment_intent":
            apply_payment(event.data.object, when)
    return JsonResponse({"received": True})
