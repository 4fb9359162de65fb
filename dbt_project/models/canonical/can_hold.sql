-- grain: one hold of one order, by the system that placed it
select
    hold.key_prefix || hold.order_hold_id as hold_key,
    hold.key_prefix || hold.order_id as order_key,
    hold.hold_kind,
    {{ utc_first('placed', 'hold.placed_when') }} as placed_utc,
    {{ utc_first('released', 'hold.released_when') }} as released_utc,
    hold.released_by,
    {{ provenance('hold', 'hold.order_hold_id') }}
from {{ ref('stg_erp__sales_order_holds') }} as hold
{{ join_local_time('placed', 'hold.placed_when', 'hold.source_zone') }}
{{ join_local_time('released', 'hold.released_when', 'hold.source_zone') }}
union all
select
    hold.key_prefix || hold.oms_order_number || '/' || hold.hold_id as hold_key,
    orders.order_key,
    hold.hold_kind,
    {{ utc_from_z('hold.placed_at_raw') }} as placed_utc,
    {{ utc_from_z('hold.released_at_raw') }} as released_utc,
    hold.released_by,
    {{ provenance('hold', "hold.oms_order_number || '/' || hold.hold_id") }}
from {{ ref('stg_oms__hold') }} as hold
inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
