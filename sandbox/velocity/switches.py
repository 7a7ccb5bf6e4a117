"""What is odd or not proven about Velocity, each with what the stand-in does by itself."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.switches import Switches, switch


@dataclass
class VelocitySwitches(Switches):
    """The oddities of Velocity's stand-in, as they are now."""

    duplicate_orders: str = switch(
        "books",
        "what an order id that is sent again does",
        choices=("books", "existing", "refuses"),
    )
    failed_awb: str = switch(
        "ok",
        "how a create without AWB is answered: status 1 and awb_generated 0, or 422",
        choices=("ok", "error"),
    )
    no_awb_rate: float = switch(0.0, "the share of orders that no carrier takes", most=1)
    fall_through_rate: float = switch(
        0.0, "the share of carriers that refuse an order, which the next one then takes", most=1
    )
    carrier_seconds: float = switch(0.0, "seconds that each carrier takes to answer", most=600)
    search_lag: float = switch(0.0, "seconds until a new order is found by the search")
    unknown_awb: str = switch(
        "missing",
        "what tracking says of an unknown AWB",
        choices=("missing", "null", "error", "refuses"),
    )
    tracking_limit: float = switch(100.0, "the most AWBs that one tracking call takes", most=10_000)
    status_form: str = switch(
        "snake", "how statuses are written", choices=("snake", "title", "dash", "upper")
    )
    activity_form: str = switch(
        "text", "what a carrier's activities are: words or its own codes", choices=("text", "code")
    )
    return_words: str = switch(
        "plain", "the statuses of returns: in_transit or return_in_transit, and so on",
        choices=("plain", "prefixed"),
    )  # fmt: skip
    cancel_delay: float = switch(0.2, "seconds until an accepted cancellation is carried out")
    cancel_again: str = switch(
        "accepted", "a cancellation that is asked for again", choices=("accepted", "refused")
    )
    cancels_returns: bool = switch(True, "whether cancel-order takes returns")
    order_update_id: str = switch(
        "ours",
        "which order id PUT /order wants: the client's or Velocity's",
        choices=("ours", "velocity", "both"),
    )
    label_life: float = switch(3600.0, "seconds that a label link is valid")
    key_scheme: str = switch(
        "both", "how a key is sent: raw, after Bearer, or both", choices=("both", "raw", "bearer")
    )
    error_text: str = switch(
        "message", "the field with an error's text", choices=("message", "error", "errors")
    )
    refuses_with_200: bool = switch(False, "whether refusals are HTTP 200 with status 0")
    redelivers_callbacks: bool = switch(True, "whether a callback that is not taken is sent again")
    tracking_additions: bool = switch(False, "whether callbacks of carriers' activities are sent")
