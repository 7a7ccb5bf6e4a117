"""The oddities of Delhivery's stand-in that can be switched."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.switches import Switches, switch


@dataclass
class DelhiverySwitches(Switches):
    """How Delhivery behaves where its accounts, its days or its documents differ."""

    # Delays, in seconds.
    search_lag: float = switch(0.0, "seconds until ref_ids finds a new shipment")
    edit_lag: float = switch(0.0, "seconds until a new shipment can be edited or cancelled")
    fresh_lag: float = switch(
        0.0, "seconds for which waybills beyond the first 25 of a call cannot be used"
    )
    cancel_scan_lag: float = switch(0.2, "seconds from a cancellation to its scan")
    action_lag: float = switch(0.2, "seconds until an action for an undelivered one is done")
    link_life: float = switch(86_400.0, "seconds for which a link to a label can be fetched")
    cancel_scan_comes: bool = switch(True, "whether a cancellation before pickup has a scan")
    # The account and its key.
    revoked: bool = switch(False, "whether every key is refused")
    other_environment: bool = switch(
        False, "whether a create call is answered as with the key of the other environment"
    )
    client_inactive: bool = switch(False, "whether the account takes no shipments")
    warehouse_inactive: bool = switch(False, "whether its warehouses take no shipments")
    empty_wallet: bool = switch(False, "whether its prepaid wallet is empty")
    client_name_needed: bool = switch(False, "whether a call for waybills must give cl")
    no_numbers: bool = switch(False, "whether a call for waybills is answered by a short number")
    auto_pickup: bool = switch(False, "whether pickups come by themselves and none can be asked")
    pickups_fail: bool = switch(False, "whether too many pickups at its warehouse have failed")
    capacity_exceeded: bool = switch(False, "whether no pincode takes another parcel today")
    # What an answer is like.
    duplicates_refused: bool = switch(True, "whether an equal earlier order refuses a new one")
    remarks: str = switch("list", "what remarks of a package are", choices=("list", "text"))
    edit_failure: str = switch(
        "false", "the status of a refused edit in JSON", choices=("false", "Failure")
    )
    not_found: str = switch(
        "200", "the HTTP status where tracking finds nothing", choices=("200", "400")
    )
    not_found_words: str = switch("data", "what tracking says then", choices=("data", "number"))
    status_words: str = switch(
        "usual",
        "how statuses are spelt: as usual, in capitals, or Cancelled with two l",
        choices=("usual", "upper", "cancelled"),
    )
    pickup_done: str = switch(
        "201", "the HTTP status of a pickup that is taken", choices=("200", "201")
    )
    wrong_key: str = switch(
        "detail", "how most calls refuse a wrong key", choices=("detail", "text")
    )
    null_sort_code: bool = switch(False, "whether a booking has no sort code")
    zero_rates: bool = switch(False, "whether every charge is 0, as in the test environment")
    space_in_date: bool = switch(False, "whether PickUpDate of a callback has a space for its T")
    proof_callbacks: bool = switch(False, "whether a delivery has a callback with its proof too")
    not_picked_at_once: bool = switch(True, "whether Not Picked follows a booking at once")
    # The firewall.
    limits: bool = switch(False, "whether the limits of calls hold")
    limit_window: float = switch(300.0, "seconds of the limits' windows of five minutes")
