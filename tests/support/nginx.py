"""Tests with the web server of docker-compose.yml are skipped, by name, where nginx is missing."""

from __future__ import annotations

import shutil

import pytest

needs_nginx = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="nginx is not installed (Debian: nginx-light)"
)
