"""Settings of the connections to PostgreSQL that release the locks of a dead process."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.mark.own_session
@pytest.mark.django_db(transaction=True)
def test_the_server_ends_transactions_that_a_dead_process_left_open() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
    assert connection.connection.info.get_parameters()["tcp_user_timeout"] == "30000"
