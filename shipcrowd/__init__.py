"""The Shipcrowd project: settings, URLs, Celery, WSGI, the embedded servers and the demo.

It wires the apps together and holds no domain logic.
"""

from importlib import metadata

try:
    # The version by the tag, as it was when the distribution was built or installed.
    __version__ = metadata.version("shipcrowd")
except metadata.PackageNotFoundError:  # run from a folder that is not installed
    __version__ = "0+unknown"
