"""The outbox in real worker processes, one of which is killed while it sends."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from couriers.models import Company, Event
from tests.support.outbox import Shop, change, deliver, log_of, make_endpoint, make_events
from tests.support.small_courier import Reply
from tests.support.worker import wait_for, worker
from webhooks.models import WebhookDelivery
from webhooks.outbox import run
from webhooks.tasks import sweep_outbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_a_worker_that_is_killed_after_sending_sends_it_again_with_the_same_id(
    company: Company, shipment: Any
) -> None:
    answers = threading.Event()

    def answer(_: Any) -> Reply:
        answers.wait(30)
        return Reply()

    with Shop(answer) as shop:
        endpoint = make_endpoint(company, shop.hook)
        change(shipment, "picked_up", "in_transit")
        with worker(DEVELOPMENT=True) as process:
            wait_for(lambda: shop.requests, meanwhile=sweep_outbox.delay)
            process.kill()
            process.wait()
        answers.set()
        [first, second] = log_of(endpoint)
        assert (first.state, first.attempts, second.attempts) == ("pending", 1, 0)
        assert deliver(3) == 0  # the lease of the dead worker is not over
        WebhookDelivery.objects.filter(pk=first.pk).update(
            lease_expires_at=timezone.now(), next_attempt_at=timezone.now()
        )
        deliver()
        sent = shop.sent(endpoint.secret)
    assert [one.status for one in sent] == ["picked_up", "picked_up", "in_transit"]
    assert sent[0].id == sent[1].id
    assert sent[0].body == sent[1].body
    assert [(one.state, one.attempts) for one in log_of(endpoint)] == [
        ("delivered", 2), ("delivered", 1),
    ]  # fmt: skip


def test_the_task_does_it_all_and_few_runs_go_on_at_once(company: Company) -> None:
    with Shop() as shop:
        endpoint = make_endpoint(company, shop.hook)
        make_events(company, 3)
        places = [f"shipcrowd:queued:outbox-{n}" for n in range(run.RUNS)]
        redis = get_redis_connection("default")
        for place in places:
            redis.set(place, 1)
        assert sweep_outbox.run() == 0
        redis.delete(places[0])
        assert sweep_outbox.run() == 3
        assert not redis.exists(places[0])
        ids = {one.id for one in shop.sent(endpoint.secret)}
    assert ids == set(Event.objects.values_list("pk", flat=True))
