-- grain: one line of an invoice; credit notes stand apart
select
    line.line_key as invoice_line_key,
    line.invoice_key,
    line.order_line_key,
    coalesce(order_line.root_order_line_key, line.order_line_key) as root_order_line_key,
    line.shipment_key,
    line.item_key,
    item.item_group,
    line.site_code,
    line.customer_category,
    line.posting_date,
    line.qty as invoiced_qty,
    line.net_amt,
    line.tax_amt,
    line.cogs_amt,
    {{ provenance('line', 'line.source_key') }}
from {{ ref('prt_invoice_line') }} as line
left join {{ ref('can_order_line') }} as order_line on order_line.order_line_key = line.order_line_key
left join {{ ref('can_item') }} as item on item.item_key = line.item_key
where not line.is_credit
