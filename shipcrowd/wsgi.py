"""The WSGI application: `gunicorn shipcrowd.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

application = get_wsgi_application()
