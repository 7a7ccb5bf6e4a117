"""Delivery of callbacks: repeated until they are taken, given up at last."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from sandbox.callbacks import CallbackSender
from tests.support.callback_receiver import CallbackReceiver


def deliver(url: str, pauses: Sequence[float] = (0.01, 0.01)) -> CallbackSender:
    """Send one callback, and wait until it is taken or given up."""

    async def send() -> CallbackSender:
        sender = CallbackSender(pauses)
        await sender.start()
        sender.send(url, b'{"a": 1}', {"x-key": "secret"})
        assert sender.pending == 1
        async with asyncio.timeout(10):
            while sender.pending:
                await asyncio.sleep(0.01)
        await sender.stop()
        return sender

    return asyncio.run(send())


def test_a_callback_is_sent_again_until_it_is_taken() -> None:
    with CallbackReceiver([500, 404]) as receiver:
        sender = deliver(receiver.url)
    assert sender.counts == {
        "made": 1, "answer_500": 1, "answer_404": 1, "answer_200": 1, "taken": 1
    }  # fmt: skip
    for raw, headers in receiver.received:
        assert raw == b'{"a": 1}'
        assert (headers["x-key"], headers["content-type"]) == ("secret", "application/json")
    assert len(receiver.received) == 3


def test_a_callback_that_nobody_takes_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    assert deliver(url).counts == {"made": 1, "no_answer": 3, "given_up": 1}


def test_lost_callbacks_are_never_sent_and_repeated_ones_twice() -> None:
    with CallbackReceiver() as receiver:

        async def send() -> CallbackSender:
            sender = CallbackSender(loss=0.5, repeats=0.5)
            await sender.start()
            for number in range(40):
                sender.send(receiver.url, str(number).encode(), {})
            async with asyncio.timeout(10):
                while sender.pending:
                    await asyncio.sleep(0.01)
            await sender.stop()
            return sender

        counts = asyncio.run(send()).counts
    different = {raw for raw, _ in receiver.received}
    assert 10 <= counts["lost"] <= 30
    assert len(different) == 40 - counts["lost"]
    assert len(different) < len(receiver.received) == counts["made"] == counts["taken"]


def test_a_courier_may_send_a_callback_again_only_once() -> None:
    with CallbackReceiver([500, 500]) as receiver:
        sender = deliver(receiver.url, pauses=(0,))
    assert sender.counts == {"made": 1, "answer_500": 2, "given_up": 1}
    assert len(receiver.received) == 2
