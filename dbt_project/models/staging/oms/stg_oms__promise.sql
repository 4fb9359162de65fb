-- grain: one promise of one OMS order
select
    orders.oms_order_number,
    cast(entry.version as integer) as promise_version,
    cast(entry.promised_date as date) as promised_date,
    entry.made_at as made_at_raw,
    orders.source_system,
    orders.key_prefix,
    orders.erp_system,
    orders.erp_prefix,
    orders.source_batch_id,
    orders.known_from_utc,
from {{ ref('stg_oms__order') }} as orders, unnest(orders.promises) as exploded (entry)
