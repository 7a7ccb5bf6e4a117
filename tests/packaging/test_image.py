"""What the container of Dockerfile holds works: the wheel, beside the two files that are copied."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.wheels import ROOT, HostVirtualenv
from tests.support.worker import own_servers

# Reads gunicorn.conf.py of the working directory, and loads the application.
CHECK = """
import sys
from gunicorn.app.wsgiapp import run
sys.argv = ["gunicorn", "--check-config", "shipcrowd.wsgi"]
try:
    run()
except SystemExit as ended:
    assert not ended.code
import shipcrowd.settings
print(shipcrowd.settings.__file__)
"""


@pytest.mark.slow
@pytest.mark.django_db
def test_the_wheel_serves_with_the_files_that_the_image_has(
    host_virtualenv: HostVirtualenv, tmp_path: Path
) -> None:
    (copied,) = re.findall(r"^COPY (.+) \./$", (ROOT / "Dockerfile").read_text().split("FROM ")[2],
                           re.MULTILINE)  # fmt: skip
    for name in copied.split():
        shutil.copy(ROOT / name, tmp_path)
    servers = own_servers()
    environment = {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "MEDIA_ROOT": str(tmp_path / "media"),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }
    printed = host_virtualenv.run("-c", CHECK, cwd=tmp_path, environment=environment).stdout
    assert Path(printed.strip()).is_relative_to(host_virtualenv.site_packages)
