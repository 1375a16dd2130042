"""The application as our own web server runs it: pages by WSGI, streams beside them."""

from django.conf import settings

from makegood.config.wsgi import application
from makegood.kit.live.front import Front
from makegood.kit.postgres import connect

THREADS = 4  # per web process: most of a request is waiting for the database

front = Front(application, dsn=connect.dsn("app"), threads=THREADS, body_max=settings.UPLOAD_BYTES_MAX)
