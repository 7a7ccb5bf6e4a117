"""An app that shortens waits, so that a run of minutes has its retries and searches."""

from dataclasses import replace

from django.apps import AppConfig


class ShortPauses(AppConfig):
    """Sets the constants in each process of the platform."""

    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        from couriers_delhivery.adapter import DelhiveryAdapter
        from couriers_delhivery.client import DelhiveryClient
        from webhooks.outbox import claims, outcomes, run

        # The stand-in finds a new shipment a second after it was booked.
        DelhiveryAdapter.lookup_lag = 3.0
        # One booking in a hundred is refused by its firewall. With the true pause of 30 seconds
        # after each, 10,000 bookings would take an hour.
        table = DelhiveryClient.table
        firewall = replace(table.statuses[403], pause=1.0)
        DelhiveryClient.table = replace(table, statuses={**table.statuses, 403: firewall})
        outcomes.BACK_OFF = (0.2,) * len(outcomes.BACK_OFF)
        outcomes.PROBE_PAUSES = (0.2,)
        # Longer than a call may last, so that only those who were killed are taken for dead.
        claims.LEASE = 15
        run.RUN_SECONDS, run.RESERVED_SECONDS = 3.0, 5
