"""The WSGI application: `gunicorn shipcrowd.wsgi`."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from shipcrowd.startup import refuse_to_start_with_errors

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shipcrowd.settings")

application = get_wsgi_application()
refuse_to_start_with_errors()

# Load all views now, so that the first request does not wait for them.
get_resolver().url_patterns  # noqa: B018 - the access loads the views

# The objects loaded by now live as long as the process. Freezing keeps the garbage collector from
# scanning them, which would delay a request by some 70 ms.
gc.collect()
gc.freeze()
