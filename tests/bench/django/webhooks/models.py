"""The tables of ../../peers.sql."""
from django.db import models


class WebhookEvent(models.Model):
    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=255)
    payload = models.TextField()
    created = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "webhook_events"
        managed = False


class Payment(models.Model):
    id = models.CharField(primary_key=True, max_length=255)
    status = models.CharField(max_length=32)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    customer = models.CharField(max_length=255, null=True)
    user_id = models.CharField(max_length=500, null=True)
    updated = models.DateTimeField()

    class Meta:
        db_table = "payments"
        managed = False
