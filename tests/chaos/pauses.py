"""An app that shortens what the outbox waits for, so that a run of minutes has its retries."""

from django.apps import AppConfig


class ShortPauses(AppConfig):
    """Sets the constants in each process of the platform."""

    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        from webhooks.outbox import claims, outcomes, run

        outcomes.BACK_OFF = (0.2,) * len(outcomes.BACK_OFF)
        outcomes.PROBE_PAUSES = (0.2,)
        # Longer than a call may last, so that only those who were killed are taken for dead.
        claims.LEASE = 15
        run.RUN_SECONDS, run.RESERVED_SECONDS = 3.0, 5
