"""Stripe: refunds, look-ups and webhooks through the official library."""
