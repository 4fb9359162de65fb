-- grain: one change of one OMS order
select
    orders.oms_order_number,
    entry.id as change_id,
    entry.line as line_number,
    entry.kind as change_kind,
    cast(entry.qty_from as decimal(18, 4)) as old_qty,
    cast(entry.qty_to as decimal(18, 4)) as new_qty,
    entry.initiator as initiator_raw,
    entry.reason,
    entry.at as changed_at_raw,
    orders.source_system,
    orders.key_prefix,
    orders.erp_system,
    orders.erp_prefix,
    orders.source_batch_id,
    orders.known_from_utc,
from {{ ref('stg_oms__order') }} as orders, unnest(orders.changes) as exploded (entry)
