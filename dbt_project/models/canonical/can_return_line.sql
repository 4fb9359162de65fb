-- grain: one line of a return
select
    line.key_prefix || line.return_line_id as return_line_key,
    line.key_prefix || line.return_id as return_key,
    line.key_prefix || line.order_line_id as order_line_key,
    coalesce(order_line.root_order_line_key, line.key_prefix || line.order_line_id) as root_order_line_key,
    line.key_prefix || line.stock_item_id as item_key,
    cast(coalesce(line.authorized_quantity, 0) as decimal(18, 4)) as authorized_qty,
    cast(coalesce(line.received_quantity, 0) as decimal(18, 4)) as received_qty,
    cast(coalesce(line.credited_quantity, 0) as decimal(18, 4)) as credited_qty,
    line.reason,
    line.disposition,
    {{ provenance('line', 'line.return_line_id') }}
from {{ ref('stg_erp__sales_return_lines') }} as line
left join {{ ref('can_order_line') }} as order_line
    on order_line.order_line_key = line.key_prefix || line.order_line_id
