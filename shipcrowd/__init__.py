"""The Shipcrowd project: settings, URLs, Celery and WSGI. Wiring only, no domain logic."""
