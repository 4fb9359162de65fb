-- grain: one hold of one OMS order
select
    orders.oms_order_number,
    entry.id as hold_id,
    entry.kind as hold_kind,
    entry.placed_at as placed_at_raw,
    entry.released_at as released_at_raw,
    entry.released_by,
    orders.source_system,
    orders.key_prefix,
    orders.erp_system,
    orders.erp_prefix,
    orders.source_batch_id,
    orders.known_from_utc,
from {{ ref('stg_oms__order') }} as orders, unnest(orders.holds) as exploded (entry)
