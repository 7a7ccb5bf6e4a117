"""Mistakes that public courier integrations make, and the tests that prevent them here."""

INTEGRATIONS = {
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
        "test_a_pickup_is_set_only_for_a_shipment_that_was_booked_without_one",
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
}
