"""What a call sends to Delhivery, by what may come back of it in Delhivery's words. Pure.

Every field that is not listed is private: phones, addresses, goods, free texts and GSTINs.
"""

# Ids, places, dates, amounts and plain words, without which no refusal can be understood.
_OPEN = (
    "format order waybill payment_mode pin city state country cod_amount total_amount weight"
    " shipment_length shipment_width shipment_height shipping_mode transport_speed shipment_type"
    " master_id mps_children mps_amount hsn_code quantity order_date address_type ewbn return_city"
    " return_state return_country return_pin qc_type questions_id cl count ref_ids verbose"
    " filter_codes cancellation act wbns pdf pdf_size doc_type dcn md ss o_pin d_pin cgm pt cod l b"
    " h origin_pin destination_pin mot pdt expected_pickup_date pickup_location pickup_date"
    " pickup_time expected_package_count"
)
OPEN_FIELDS = frozenset(_OPEN.split())
NAME_FIELDS = frozenset({"name", "return_name"})
# The fields of answers with words for people, in the order in which they are looked for.
WORD_FIELDS = ("Error", "error", "remark", "remarks", "rmk", "detail", "msg", "message")
