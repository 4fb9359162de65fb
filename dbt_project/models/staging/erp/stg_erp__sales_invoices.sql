-- grain: one invoice or credit note per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_invoices', [
    ['invoice_id', 'bigint'],
    ['customer_id', 'bigint'],
    ['bill_to_customer_id', 'bigint'],
    ['order_id', 'bigint'],
    ['shipment_number', 'varchar'],
    ['invoice_date', 'date'],
    ['is_credit_note', 'boolean'],
    ['credit_note_reason', 'varchar'],
    ['credited_invoice_id', 'bigint'],
    ['created_when', 'timestamp'],
    ['returned_delivery_data', 'varchar'],
    ['confirmed_delivery_time', 'timestamp'],
    ['confirmed_received_by', 'varchar'],
    ['last_edited_when', 'timestamp'],
]) }}
