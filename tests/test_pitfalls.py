"""Mistakes that public courier integrations make, each with the tests that prevent it here.

The list helps to find the tests for a failure. This module checks that they exist.
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
    "the key is looked up, the courier called, and the key stored only then": [
        "test_many_simultaneous_requests_book_once",
        "test_a_crash_at_each_step_is_settled_as_expected",
    ],
    "a create call is retried after a time-out or 5xx": [
        "test_an_unknown_outcome_leaves_the_shipment_in_doubt_and_is_never_repeated",
        "test_a_request_that_may_have_been_sent_is_unknown",
    ],
    "the stored answer is replayed only while the circuit is closed": [
        "test_the_stored_answer_is_replayed_while_the_circuit_is_open",
    ],
    "another payload with a used key is answered with the first shipment": [
        "test_the_same_key_with_another_body_is_422_naming_fields",
        "test_a_second_return_of_an_order_is_booked_on_its_own",
    ],
    "a transient failure uses up the key": ["test_the_key_of_a_failed_booking_can_be_used_again"],
    "the adapter is cached by the courier's name": [
        "test_two_merchants_of_one_courier_never_share_an_adapter",
    ],
    "errors of cancel and serviceability are returned as false": [
        "test_a_failed_action_is_a_problem_and_changes_nothing",
        "test_an_outage_is_an_error_not_an_unserviceable_pincode",
        "test_a_recorded_answer_is_read",
    ],
    "consignees' personal data is stored unencrypted": [
        "test_the_consignees_phone_and_address_are_encrypted_in_the_database",
        "test_the_consignees_data_is_encrypted_and_erased_once_settled",
    ],
    "the neutral types know couriers by name": ["test_the_core_and_the_inbox_name_no_courier"],
    # Resilience
    "the circuit breaker is per process and allows several probes": [
        "test_only_one_of_many_threads_makes_the_probe",
        "test_consecutive_failures_open_the_circuit_and_a_successful_probe_closes_it",
    ],
    "the token lock excludes nobody, or a refresh returns the refused token": [
        "test_fifty_processes_with_an_expired_token_make_one_auth_call",
        "test_a_holder_that_outlived_its_lock_does_not_overwrite_a_newer_token",
        "test_a_holder_whose_lock_expired_does_not_release_the_next_holders_lock",
        "test_a_refused_token_that_ekart_returns_again_raises_token_refused",
    ],
    "the HTTP library retries by itself": ["test_the_http_session_never_retries"],
    # Webhooks
    "the HMAC is computed over JSON that was serialised again": [
        "test_ekarts_callbacks_are_verified_on_the_raw_bytes",
    ],
    "a missing header or secret accepts every callback": [
        "test_a_wrong_signature_is_401_and_leaves_no_row",
        "test_an_account_without_a_secret_accepts_no_callback",
        "test_no_signature_raises",
    ],
    "repeats are recognised by memory, by time or by the order of keys": [
        "test_a_callback_is_stored_once_and_applied",
    ],
    "a repeat of a failed event is ignored": [
        "test_a_repeat_of_a_failed_event_is_tried_again",
    ],
    "an event before its shipment is lost, or applied to another shipment": [
        "test_an_event_of_an_unknown_shipment_waits_a_day_and_is_then_dead",
        "test_another_accounts_shipment_is_not_touched",
    ],
    "the last event to arrive wins": ["test_the_couriers_time_decides_and_not_the_arrival"],
    "shipment_recreated is ignored": [
        "test_the_new_tracking_id_is_current_and_the_old_one_is_kept"
    ],
    "an event is marked as processed before it is applied": [
        "test_a_crash_before_events_are_marked_rolls_back_their_effect",
    ],
    "a task is sent before its row is committed": [
        "test_the_task_is_sent_only_after_the_row_is_committed",
    ],
    "tables grow without limit, or purging them holds locks": [
        "test_a_purge_deletes_in_batches_and_stops_when_its_time_is_over",
        "test_a_purge_skips_locked_rows_without_waiting",
    ],
    # Documents and money
    "a manifest of more than 100 ids contains only the first 100": [
        "test_a_manifest_of_more_than_a_hundred_ids_is_refused_before_any_call",
        "test_a_manifest_is_complete_after_three_failures_and_a_killed_worker",
    ],
    "tax is made up, or totals are a paisa off": [
        "test_amounts_add_up_to_the_paisa_within_a_state_and_between_states",
        "test_gst_is_part_of_the_price",
    ],
    "the pincode's own COD limit is ignored": [
        "test_the_cod_limit_of_a_pincode_is_checked_before_the_booking",
    ],
    "a JSON error is stored as a label": [
        "test_json_in_the_place_of_a_label_raises_its_refusal",
        "test_an_incomplete_pdf_is_never_stored",
    ],
    "a method that does nothing returns success": [
        "test_the_declared_capabilities_are_exactly_the_overridden_methods",
        "test_a_pickup_is_scheduled_only_for_delayed_dispatch",
    ],
    # Operators and secrets
    "secrets are stored or logged unencrypted, and cannot be rotated": [
        "test_every_model_is_listed_with_search_and_filters_and_shows_no_secret",
        "test_data_in_a_database_message_is_not_logged",
        "test_after_a_rotation_the_first_key_alone_reads_everything",
    ],
    # Doors
    "the tax rate is whatever was typed": [
        "test_a_rate_that_gst_does_not_have_by_its_date_is_refused_by_name",
        "test_a_rate_that_was_withdrawn_or_is_of_other_goods_gets_a_remark",
    ],
    "joiners of Indian scripts are control characters, and half of a country's names are refused": [
        "test_a_text_becomes_one_line_without_marks_at_its_ends",
        "test_an_override_of_the_direction_is_never_dropped",
    ],
    "a state that contradicts the pincode decides the tax": [
        "test_another_state_contradicts_the_pincode",
        "test_states_that_people_mix_up_get_a_remark",
        "test_the_state_of_a_pincode_in_two_states_is_asked_for",
    ],
    "a phone, a pincode or an HSN code that nobody has is booked": [
        "test_a_number_that_the_numbering_plan_lacks_is_refused",
        "test_a_pincode_that_no_directory_and_no_courier_knows_is_refused",
        "test_what_is_wrong_with_an_hsn_code_is_named",
    ],
    "an amount that can be typed ends in an exception": [
        "test_any_amount_is_taken_or_refused_by_its_field",
    ],
    "rates are quoted for what a booking refuses": [
        "test_rates_refuse_the_amounts_that_a_booking_refuses",
        "test_a_lane_is_not_priced_for_what_a_booking_refuses",
    ],
    "what is likely wrong is refused, or booked in silence": [
        "test_warnings_are_stored_answered_and_replayed_byte_for_byte",
        "test_an_unlisted_pincode_is_booked_with_a_warning_where_the_courier_does_not_answer",
    ],
    "already booked is decided by the number alone": [
        "test_other_content_is_refused_with_the_names_of_the_request",
        "test_an_order_that_has_ended_is_refused_naming_its_shipment",
        "test_an_order_that_has_ended_is_409_with_the_remedy",
        "test_rebooking_books_each_ended_shipment_once_more",
    ],
    # Neighbours
    "an unreadable row stops its whole job": [
        "test_an_order_that_was_encrypted_with_another_key_fails_alone",
        "test_a_malformed_order_is_rejected_alone",
    ],
    # More than one courier
    "one live shipment per courier, so that an order is live twice": [
        "test_an_order_is_live_with_one_courier_only",
        "test_two_couriers_at_once_book_one_shipment",
        "test_an_order_that_is_live_with_two_couriers_is_flagged_and_kept",
    ],
    # Doors: callbacks
    "a refused callback is seen nowhere, or every stranger's request is stored": [
        "test_a_refused_callback_says_where_its_signature_stands",
        "test_a_flood_writes_nothing_in_the_request_and_one_statement_afterwards",
        "test_the_evidence_says_that_the_accounts_callbacks_are_refused",
    ],
    "a secret is stored that the courier would not take": [
        "test_a_webhook_secret_that_the_courier_would_not_take_is_refused_with_the_bounds",
    ],
    "a courier's free text is shown to consignees, or stored with phone numbers": [
        "test_the_tracking_page_shows_words_of_ours_alone",
        "test_a_scan_is_masked_when_it_is_stored",
        "test_a_phone_at_the_end_of_a_column_is_masked_before_the_text_is_cut",
    ],
    "what a callback means is decided by something outside its signature": [
        "test_a_body_that_was_signed_for_one_path_is_401_at_the_other",
        "test_a_replayed_creation_with_a_topic_in_its_query_recreates_nothing",
    ],
    "two accounts with one login get each other's callbacks": [
        "test_a_second_account_with_the_login_is_refused_in_words_for_people",
        "test_a_login_is_refused_while_keys_are_rotated_and_afterwards",
    ],
    "links of the admin quote the key, and the buttons that matter are missing": [
        "test_every_row_opens_from_its_list_with_the_buttons_of_its_raw_url",
        "test_the_list_leads_to_the_buttons_of_a_shipment",
        "test_a_doubt_is_settled_as_booked",
        "test_an_end_is_lifted",
    ],
    "an operator's word is taken unchecked although the courier could be asked": [
        "test_what_the_courier_surely_does_not_have_is_refused_even_if_confirmed",
        "test_where_the_courier_cannot_say_the_operator_confirms_once_more",
        "test_ekart_is_asked_about_the_id_that_an_operator_enters",
    ],
    "a wrong tracking id stays, and callbacks wait for the right one in vain": [
        "test_the_right_id_takes_the_place_of_the_wrong_one_and_its_scans",
        "test_they_are_applied_when_a_tracking_id_is_corrected",
    ],
    "a stored document opens a 404, or opens for anybody": [
        "test_a_label_opens_from_its_list_its_page_and_its_shipment",
        "test_opening_a_label_needs_the_permission",
    ],
    "an edited key makes a second row": [
        "test_the_form_of_a_stored_row_does_not_offer_its_key",
        "test_the_code_of_a_courier_stays_whatever_is_sent",
    ],
    "a flag can never be cleared": [
        "test_a_flag_is_cleared_from_the_page_of_its_shipment",
    ],
    "a refused login marks a warehouse as failed, or a forgotten one stays synced": [
        "test_what_says_nothing_of_the_address_leaves_the_registration_pending",
        "test_an_alias_that_ekart_forgot_is_pending_until_it_is_registered_again",
    ],
    "people read the name of a constraint": [
        "test_no_constraint_of_a_model_that_people_edit_is_told_by_its_name",
    ],
    "a cell too many shifts a row, and 2,049.00 is booked as 2": [
        "test_a_filled_cell_under_no_heading_rejects_its_order_alone",
        "test_a_shifted_row_takes_no_line_from_an_order",
        "test_an_amount_is_read_without_loss",
    ],
    "a heading that stands twice is taken once, and an unknown column is ignored": [
        "test_a_heading_that_stands_twice_is_named_with_both_positions",
        "test_unknown_columns_are_named_and_may_be_ignored_by_name",
        "test_an_unknown_column_of_an_export_is_named",
    ],
    "a number in scientific notation is taken for an order or a phone": [
        "test_a_number_that_lost_digits_is_refused",
    ],
    "another order under a booked number is said to be booked": [
        "test_another_order_under_a_booked_number_is_rejected",
        "test_two_orders_under_one_number_are_rejected_naming_what_differs",
    ],
    "a cell that nobody foresaw ends an import with a traceback": [
        "test_any_text_in_any_cell_gives_a_row_and_never_an_exception",
    ],
    "a COD amount is not what the shop collects": [
        "test_an_export_is_booked_with_what_the_products_tell",
        "test_an_order_of_shopify_that_is_not_booked_says_why",
    ],
    "a redirect for a missing slash turns a POST into a GET that answers 200": [
        "test_a_path_has_the_same_answer_with_and_without_its_slash",
        "test_a_post_without_the_slash_books",
    ],
    "an unknown query parameter is ignored, and the caller believes in a filter": [
        "test_every_operation_names_a_query_parameter_that_it_does_not_have",
        "test_a_value_of_a_filter_that_is_not_understood_is_named",
    ],
    "an unknown field, or a body where none is taken, is ignored": [
        "test_every_operation_names_a_body_field_that_it_does_not_have",
        "test_a_body_without_a_length_is_refused_and_not_read_as_empty",
        "test_a_field_that_stands_twice_is_named",
    ],
    "a time that Python reads and PostgreSQL does not is a 500": [
        "test_a_time_filters_or_is_refused_by_name",
        "test_an_offset_that_postgresql_does_not_read_is_refused",
    ],
    "a company is left without its default warehouse": [
        "test_the_default_cannot_be_undone",
        "test_the_default_is_replaced_but_not_undone",
    ],
    "a file of products is stored in part, or a cell is guessed": [
        "test_a_cell_that_is_wrong_is_named_and_nothing_is_stored",
        "test_an_sku_of_an_order_is_read_as_that_of_the_file",
    ],
    "a file that was cut off half-way books an order twice when it is run again": [
        "test_a_run_of_a_spreadsheet_that_is_killed_and_run_again_books_each_order_once",
    ],
    "an order is another one because of the noughts of its amount": [
        "test_an_amount_is_the_same_however_many_zeros_it_is_written_with",
    ],
    "merchants read names of classes, or a library's English": [
        "test_a_fault_of_the_plug_in_is_told_without_its_class",
        "test_no_value_is_told_in_a_librarys_words",
    ],
    "the schema describes a list where the answer is an object, and every test passes": [
        "test_a_page_is_described_as_an_object_with_results",
        "test_an_answer_that_the_schema_does_not_describe_is_found",
        "test_a_test_that_gets_another_answer_fails",
        "test_it_books_reads_lists_and_prints_a_label",
    ],
    'a value is read as another type: 1e2 as a text, "yes" as true': [
        "test_a_value_of_another_type_is_refused_by_its_field",
        "test_a_truth_value_is_true_or_false",
    ],
    "an unforeseen request is a 500, or an answer that nobody described": [
        "test_with_a_key_every_answer_is_in_the_schema",
        "test_with_a_session_of_staff_every_answer_is_in_the_schema",
        "test_without_credentials_nothing_is_served",
    ],
    "a secret that was rotated away stays valid for years": [
        "test_it_ends_after_a_day_on_each_path_and_the_current_one_does_not",
        "test_it_ends_in_a_cached_account_without_a_statement",
        "test_one_from_before_the_upgrade_counts_from_the_migration",
    ],
    "an encryption key that can be guessed": [
        "test_a_weak_key_is_refused_with_its_reason",
        "test_the_project_refuses_the_keys_of_development_without_debug",
    ],
    "an API key is good for everything and for ever, and is kept in a cookie": [
        "test_every_route_of_a_company_has_a_scope",
        "test_an_operation_is_refused_without_its_scope_alone",
        "test_an_expired_key_is_told_so_and_a_wrong_one_is_not",
        "test_a_new_api_key_is_shown_once",
    ],
    "simultaneous requests pass the limit, or one guesser stops the others of an address": [
        "test_simultaneous_requests_get_the_quota_and_not_one_more",
        "test_wrong_keys_are_limited_by_address_and_a_right_one_is_still_taken",
        "test_refused_callbacks_are_limited_by_address_and_good_ones_never",
        "test_only_what_our_own_proxies_add_counts",
    ],
    "staff's passwords are guessed, or a page holds one": [
        "test_simultaneous_guesses_are_all_counted",
        "test_without_redis_logins_work_and_are_counted",
        "test_a_wrong_code_is_answered_like_a_wrong_password_and_nothing_is_echoed",
        "test_the_staff_api_asks_for_it_too",
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
def test_the_tests_of_each_pitfall_exist(pitfall: str) -> None:
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
