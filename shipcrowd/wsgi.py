"""The WSGI application: `gunicorn shipcrowd.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

application = get_wsgi_application()

# All views now, and not with the first request.
get_resolver().url_patterns  # noqa: B018 - loads what it names

# What is loaded by now stays for good. A collection of garbage that looks through all of it makes
# a request wait for some 70 ms.
gc.collect()
gc.freeze()
