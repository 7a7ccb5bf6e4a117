"""What public integrations get wrong, and the tests that keep it out of this one.

A list to look a failure up in; that the named tests exist is checked, that they pass is the
suite's business.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PITFALLS = {
    # Booking
    "look for the key, call, then store it": [
        "test_many_at_once_book_once",
        "test_a_crash_at_each_named_step_ends_as_the_protocol_says",
    ],
    "a time-out or 5xx on create is retried": [
        "test_an_unknown_outcome_leaves_the_shipment_in_doubt_and_is_never_repeated",
        "test_a_request_that_may_have_been_sent_is_unknown",
    ],
    "the stored answer is replayed only while the circuit is closed": [
        "test_the_stored_answer_is_replayed_while_the_circuit_is_open",
    ],
    "another payload under a key silently gets the first shipment": [
        "test_the_same_key_with_another_body_is_422_naming_fields",
        "test_a_second_return_of_the_order_is_not_answered_with_the_first",
    ],
    "a transient failure uses up the key": ["test_a_sure_failure_does_not_use_up_the_key"],
    "the adapter is cached by the courier's name": [
        "test_two_merchants_of_one_courier_never_share_an_adapter",
    ],
    "errors of cancel and serviceability collapse into false": [
        "test_a_failure_is_never_taken_for_success",
        "test_an_outage_is_an_error_not_an_unserviceable_pincode",
        "test_a_recorded_answer_is_read",
    ],
    "a consignee's record is kept in clear": [
        "test_the_consignees_phone_and_address_are_not_in_clear_in_the_database",
        "test_the_consignees_data_is_encrypted_and_erased_once_settled",
    ],
    "the neutral types know couriers by name": ["test_the_core_and_the_inbox_name_no_courier"],
    # Resilience
    "the breaker lives in one process and lets everybody probe": [
        "test_only_one_of_many_threads_makes_the_probe",
        "test_consecutive_failures_open_the_circuit_and_a_successful_probe_closes_it",
    ],
    "a token lock that is none, and a refresh that returns the refused token": [
        "test_fifty_processes_with_an_expired_token_make_one_auth_call",
        "test_a_holder_that_outlived_its_lock_does_not_overwrite_a_newer_token",
        "test_a_holder_that_is_late_does_not_release_the_lock_of_the_next",
        "test_a_refused_token_that_ekart_returns_again_raises_token_refused",
    ],
    "the HTTP library retries by itself": ["test_the_http_session_never_retries"],
    # Webhooks
    "HMAC over JSON that was written again": [
        "test_ekarts_callbacks_are_verified_on_the_raw_bytes",
    ],
    "a missing header or secret lets everything in": [
        "test_a_wrong_signature_is_401_and_leaves_no_row",
        "test_an_account_without_a_secret_lets_nothing_in",
        "test_no_signature_makes_an_exception",
    ],
    "repeats are known by memory, by time or by the order of keys": [
        "test_a_callback_is_stored_once_and_applied",
    ],
    "a repeat of an event that failed is swallowed": [
        "test_a_repeat_of_a_failed_event_is_tried_again",
    ],
    "an early event is forgotten, or applied to another shipment": [
        "test_an_event_of_an_unknown_shipment_waits_a_day_and_then_dies",
        "test_another_accounts_shipment_is_not_touched",
    ],
    "the last event to arrive wins": ["test_the_last_event_to_arrive_does_not_win"],
    "shipment_recreated is ignored": ["test_the_new_id_is_current_and_the_old_is_kept"],
    "processed is written before the effect": [
        "test_a_crash_between_the_effect_and_its_mark_loses_neither",
    ],
    "a task is sent before its row is committed": [
        "test_a_worker_is_told_of_a_row_only_when_it_is_there_to_be_seen",
    ],
    "tables grow, and the clean-up locks them": [
        "test_it_deletes_in_batches_and_stops_when_its_time_is_up",
        "test_it_waits_for_no_lock_and_leaves_what_somebody_holds",
    ],
    # Documents and money
    "a manifest of more than 100 sends the first 100": [
        "test_a_manifest_of_more_than_a_hundred_ids_is_refused_before_any_call",
        "test_1050_ids_are_eleven_chunks_through_three_failures_and_a_killed_worker",
    ],
    "tax is invented, totals miss by a paisa": [
        "test_amounts_add_up_to_the_paisa_within_a_state_and_between_states",
        "test_gst_is_part_of_the_price",
    ],
    "the pincode's own COD limit is ignored": [
        "test_the_cod_limit_of_a_pincode_is_checked_before_the_booking",
    ],
    "a label that is really a JSON error is stored": [
        "test_json_in_the_place_of_a_label_raises_its_refusal",
        "test_what_is_not_a_whole_pdf_is_never_stored",
    ],
    "a method that does nothing answers success": [
        "test_the_declared_capabilities_are_exactly_the_overridden_methods",
        "test_a_pickup_is_scheduled_only_for_delayed_dispatch",
    ],
    # People
    "secrets are in clear, in the log too, and cannot be rotated": [
        "test_every_model_is_listed_with_search_and_filters_and_shows_no_secret",
        "test_what_the_database_quotes_is_cut",
        "test_the_first_key_reads_everything_afterwards_and_the_old_one_can_go",
    ],
}


@functools.cache
def names_in_the_suite() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("pitfall", PITFALLS)
def test_each_pitfall_has_its_tests(pitfall: str) -> None:
    assert PITFALLS[pitfall]
    assert set(PITFALLS[pitfall]) <= names_in_the_suite()


def test_the_core_and_the_inbox_name_no_courier() -> None:
    couriers = re.compile("ekart|flipkart|delhivery|velocity", re.IGNORECASE)
    named = [
        str(path.relative_to(ROOT))
        for app in ("couriers", "webhooks")
        for kind in ("*.py", "*.html")
        for path in (ROOT / app).rglob(kind)
        if couriers.search(path.read_text())
    ]
    assert named == []
