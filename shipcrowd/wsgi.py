"""The WSGI application: `gunicorn shipcrowd.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

application = get_wsgi_application()

# What is loaded by now stays for good. A collection of garbage that looks through all of it makes
# a request wait for some 70 ms.
gc.collect()
gc.freeze()
