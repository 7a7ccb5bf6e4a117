"""DATABASE_POOLER and DATABASE_DIRECT_URL: what is wrong ends the process, or is named."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks

from shipcrowd.pooler import Pooler, direct

DATABASE = {"NAME": "shipcrowd", "OPTIONS": {"connect_timeout": 5}}


def test_another_database_past_the_pooler_ends_the_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        direct(DATABASE, {"NAME": "shipcrowd_old", "HOST": "postgres"})
    assert "'shipcrowd_old', but DATABASE_URL 'shipcrowd'" in capsys.readouterr().err


def test_the_way_past_the_pooler_has_the_same_options() -> None:
    found = direct(DATABASE, {"NAME": "shipcrowd", "HOST": "db", "OPTIONS": {"sslmode": "require"}})
    assert found["HOST"] == "db"
    assert found["OPTIONS"] == {"connect_timeout": 5, "sslmode": "require"}
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is False


@pytest.mark.parametrize("option", ["options", "assume_role", "prepare_threshold"])
def test_an_option_of_a_session_is_named_behind_a_pooler_of_transactions(
    settings: Any, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"]["OPTIONS"], option, "x")
    for pooler, expected in ((Pooler.TRANSACTION, 1), (Pooler.SESSION, 0)):
        settings.DATABASE_POOLER = pooler
        found = [str(one) for one in run_checks() if one.id == "shipcrowd.W020"]
        assert len(found) == expected
        assert all(f"has the option {option}, but" in text for text in found)
