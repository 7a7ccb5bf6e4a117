"""Mistakes at the doors (callbacks, spreadsheets, admin, API), and the tests that prevent them."""

DOORS = {
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
        "test_a_forgotten_reference_is_pending_until_it_is_registered_again",
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
}
