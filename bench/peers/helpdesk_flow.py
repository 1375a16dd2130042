"""django-helpdesk: a ticket is created, assigned, resolved and closed by its own functions. There is no money in it."""
# mypy: ignore-errors

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.urls import include, path

sys.path.insert(0, str(Path(__file__).parent))
import protocol

APPS = ["auth", "contenttypes", "sessions", "messages", "admin", "humanize", "sites", "staticfiles"]
settings.configure(
    SECRET_KEY="bench",  # noqa: S106 - a throw-away database
    SITE_ID=1,
    USE_TZ=True,
    ROOT_URLCONF=__name__,
    HELPDESK_TEAMS_MODE_ENABLED=False,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    INSTALLED_APPS=[f"django.contrib.{app}" for app in APPS] + ["rest_framework", "helpdesk"],
    MIDDLEWARE=[],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()
call_command("migrate", verbosity=0)
urlpatterns = [path("", include("helpdesk.urls", namespace="helpdesk"))]

from django.contrib.auth import get_user_model  # noqa: E402
from helpdesk.forms import TicketForm  # noqa: E402
from helpdesk.models import Queue, Ticket  # noqa: E402
from helpdesk.update_ticket import update_ticket  # noqa: E402

QUEUE = Queue.objects.create(title="Returns", slug="returns")
AGENT = get_user_model().objects.create_user("agent", "agent@example.com", is_staff=True)


def flow() -> None:
    form = TicketForm(
        data={
            "queue": QUEUE.id,
            "title": "Lamp broken",
            "body": "It arrived broken.",
            "submitter_email": "customer@example.com",
            "priority": 3,
        },
        queue_choices=[(QUEUE.id, QUEUE.title)],
        body_reqd=True,
    )
    if not form.is_valid():
        raise RuntimeError(form.errors)
    ticket = form.save(user=AGENT)
    update_ticket(AGENT, ticket, owner=AGENT.id, comment="I look at it.")
    update_ticket(AGENT, ticket, new_status=Ticket.RESOLVED_STATUS, comment="Refunded.", public=True)
    update_ticket(AGENT, ticket, new_status=Ticket.CLOSED_STATUS, comment="Closed.")
    if Ticket.objects.get(id=ticket.id).status != Ticket.CLOSED_STATUS:
        raise RuntimeError("the ticket is not closed")


protocol.serve(flow)
