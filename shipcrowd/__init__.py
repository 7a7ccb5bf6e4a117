"""The Shipcrowd project: settings, URLs, Celery, WSGI, the embedded servers and the demo.

It wires the apps together and holds no domain logic.
"""

__version__ = "0.2.0"
