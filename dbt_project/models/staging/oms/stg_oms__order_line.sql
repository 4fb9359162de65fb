-- grain: one line of one OMS order
select
    orders.oms_order_number,
    entry.line as line_number,
    entry.sku as item_number,
    cast(entry.qty_ordered as decimal(18, 4)) as ordered_qty,
    cast(coalesce(entry.qty, entry.qty_ordered) as decimal(18, 4)) as current_qty,
    entry.unit as uom,
    cast(entry.unit_price as decimal(18, 4)) as unit_price,
    entry.status as status_raw,
    orders.source_system,
    orders.key_prefix,
    orders.erp_system,
    orders.erp_prefix,
    orders.source_batch_id,
    orders.known_from_utc,
from {{ ref('stg_oms__order') }} as orders, unnest(orders.lines) as exploded (entry)
