-- grain: one line of a credit note; amounts are negative, cost only when goods go back to stock
select
    line.line_key as credit_line_key,
    line.invoice_key,
    line.credited_invoice_key,
    line.order_line_key,
    line.item_key,
    item.item_group,
    line.site_code,
    line.customer_category,
    line.posting_date,
    line.qty as credited_qty,
    line.net_amt,
    line.tax_amt,
    line.cogs_amt,
    invoice.credit_note_reason as reason,
    {{ provenance('line', 'line.source_key') }}
from {{ ref('prt_invoice_line') }} as line
left join {{ ref('stg_erp__sales_invoices') }} as invoice
    on invoice.key_prefix || invoice.invoice_id = line.invoice_key
left join {{ ref('can_item') }} as item on item.item_key = line.item_key
where line.is_credit
