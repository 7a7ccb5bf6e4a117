"""Harm by neighbours, outages and strangers, and the tests that prevent it."""

NEIGHBOURS = {
    # Data at rest
    "a callback, a label or an address is readable in a copy of the database or the disk": [
        "test_no_phone_address_or_secret_is_in_a_copy_of_what_is_stored",
        "test_what_is_stored_plain_is_encrypted_by_the_upgrade",
    ],
    "a hash without a key tells whether a guessed phone is in it": [
        "test_neither_body_nor_plain_hash_is_stored",
        "test_a_booked_shipment_has_the_hash_of_its_phone",
    ],
    "personal data is kept for ever, or comes back with a late callback": [
        "test_after_its_time_nothing_personal_is_left_and_the_books_are",
        "test_a_late_callback_brings_no_words_back",
    ],
    "a sender's mistake opens a flag for every message of it": [
        "test_one_flag_is_open_however_many_orders_a_parcels_scans_name",
        "test_one_flag_is_open_however_many_orders_a_parcels_creations_name",
        "test_each_shipment_whose_order_is_named_has_its_own_flag",
    ],
    "one row whose key is lost stops the batch that it is in": [
        "test_an_undecryptable_body_is_tried_again_and_holds_up_no_other",
        "test_a_row_that_no_key_opens_is_erased_all_the_same",
    ],
    "one tenant's bulk work and everybody's callbacks share a queue": [
        "test_ten_bulk_jobs_delay_neither_callbacks_nor_a_small_job_of_another_tenant",
        "test_every_task_goes_to_one_of_our_queues_and_only_callbacks_to_the_inbox",
        "test_a_small_job_waits_for_one_slice_of_a_company_with_ten_jobs",
        "test_a_company_with_too_many_open_jobs_is_refused_with_a_remedy_and_known_keys_answered",
    ],
    "a queue of our own is consumed by nobody in a host project": [
        "test_a_worker_without_options_consumes_the_hosts_queues_and_ours",
    ],
    "a clock that jumps, or differs from the database's, books twice or loses work": [
        "test_a_clock_that_is_set_back_does_not_lengthen_the_time_to_send",
        "test_a_jump_during_the_call_expires_no_lease_and_books_once",
        "test_a_worker_whose_clock_is_an_hour_off_does_all_work_once",
        "test_beat_goes_on_sending_after_its_clock_is_set_back",
    ],
    "an emptied broker, or a second beat, loses work or does it twice": [
        "test_all_work_ends_once_although_redis_is_flushed_in_the_middle_of_it",
    ],
    "a read-only or full database is a 500, and the health check is green": [
        "test_a_booking_is_refused_with_retry_after_and_succeeds_afterwards",
        "test_a_callback_is_refused_with_retry_after_and_stored_afterwards",
        "test_pages_say_so_with_the_same_status",
        "test_the_probe_says_which",
        "test_a_full_disk_is_told_within_seconds_and_so_is_its_end",
        "test_a_booking_that_cannot_be_settled_ends_in_doubt_and_is_never_repeated",
    ],
    "a cache that hangs is waited for again and again": [
        "test_one_caller_waits_half_a_second_and_the_next_ones_do_not",
        "test_a_booking_a_page_and_the_probe_wait_once_together",
        "test_a_bulk_request_answers_within_a_second_and_its_job_is_swept",
    ],
    "a full disk loses a label, or leaves half of one": [
        "test_a_label_is_answered_on_a_full_disk_and_stored_once_there_is_room",
        "test_no_half_written_file_remains",
    ],
    "an unreadable row stops its whole job for ever": [
        "test_every_admin_page_opens",
        "test_the_other_accounts_are_polled",
        "test_a_manifest_is_put_off_and_others_are_made",
        "test_reconciliation_and_purges_go_on",
        "test_an_order_that_was_encrypted_with_another_key_fails_alone",
    ],
    # The web
    "outgoing webhooks have no time-out, go to any address, or hold one another back": [
        "test_an_answer_that_drips_ends_at_the_deadline",
        "test_a_name_in_the_own_network_is_refused_even_where_couriers_may_be_there",
        "test_events_of_others_are_not_delayed",
        "test_each_change_arrives_signed_with_its_id",
    ],
    "a courier's base URL leads into the platform's own network, at once or tomorrow": [
        "test_any_other_writing_is_refused_in_words_of_its_own",
        "test_a_private_base_url_is_refused_at_every_door",
        "test_a_name_that_leads_to_a_private_address_is_not_called",
        "test_the_connection_goes_to_the_address_that_was_checked",
    ],
    "a list of the admin is filtered by a hidden column, letter by letter": [
        "test_no_list_is_filtered_by_a_column_without_a_filter",
        "test_a_hidden_column_in_the_address_is_refused",
    ],
    "a page runs the script of a stranger": [
        "test_every_answer_of_the_apps_has_a_strict_policy",
        "test_every_page_of_the_admin_has_its_policy",
        "test_a_script_of_a_stranger_is_blocked",
    ],
    "metrics can be read by anybody": [
        "test_metrics_without_a_token_are_open_in_development_alone",
    ],
    "a stalled client holds a thread, and sixteen of them hold the platform": [
        "test_slow_and_lying_clients_delay_nobody",
    ],
    "kept connections all land on one process": [
        "test_kept_connections_are_spread_over_both_processes",
        "test_idle_connections_are_kept_for_longer_than_a_load_balancer_keeps_them",
    ],
    "a client chooses the address that it is known by": [
        "test_a_client_chooses_neither_its_address_nor_its_scheme",
    ],
    "a setting of a deployment is missing, and nothing says so": [
        "test_the_check_finds_nothing_and_names_each_setting_that_is_missing",
    ],
    "one tenant's slow courier takes every thread of the web server": [
        "test_a_slow_courier_holds_half_of_the_threads_and_the_rest_is_refused_at_once",
        "test_a_429_holds_an_api_request_no_longer_than_its_own_wait",
        "test_a_company_with_several_accounts_takes_at_most_three_quarters",
    ],
    "a courier's error repeats the request, and its words go on, password and all": [
        "test_nothing_that_a_courier_repeats_is_shown_stored_or_logged",
        "test_the_auth_calls_words_are_not_passed_on_at_all",
        "test_the_couriers_own_reason_and_the_ids_are_still_shown",
    ],
    "a courier's answer of megabytes, or a bomb of gzip, fills the memory": [
        "test_a_larger_answer_to_a_booking_is_unknown_whatever_its_status",
        "test_what_counts_is_the_size_after_decompression",
        "test_a_large_answer_takes_little_memory",
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
