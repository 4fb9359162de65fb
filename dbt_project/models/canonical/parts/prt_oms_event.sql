-- grain: one event an OMS asserts; its times end in Z (T1)
{{ config(materialized='view') }}
with asserted as (
    select
        'received' as event_type, 'order' as object_type, orders.order_key as object_key, orders.order_key,
        orders.created_at_raw as event_time_raw, cast(null as decimal(18,4)) as qty, cast(null as varchar) as reason,
        'customer' as initiator, orders.channel_code as detail, cast(null as varchar) as item_number,
        orders.updated_utc as recorded_at_utc, orders.oms_order_number as source_key, orders.source_system,
        orders.key_prefix, orders.source_batch_id, orders.known_from_utc,
    from {{ ref('prt_oms_order') }} as orders
    union all
    select
        case when promise.promise_version = 1 then 'promised' else 're-promised' end, 'order', orders.order_key,
        orders.order_key, promise.made_at_raw, null, null, 'seller', cast(promise.promised_date as varchar), null,
        orders.updated_utc, promise.oms_order_number || '/promise/' || promise.promise_version,
        promise.source_system, promise.key_prefix, promise.source_batch_id, promise.known_from_utc,
    from {{ ref('stg_oms__promise') }} as promise
    inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
    union all
    select
        'held', 'order', orders.order_key, orders.order_key, hold.placed_at_raw, null, hold.hold_kind, 'seller', null,
        null, orders.updated_utc, hold.oms_order_number || '/hold/' || hold.hold_id, hold.source_system,
        hold.key_prefix, hold.source_batch_id, hold.known_from_utc,
    from {{ ref('stg_oms__hold') }} as hold
    inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
    union all
    select
        'hold_released', 'order', orders.order_key, orders.order_key, hold.released_at_raw, null, hold.hold_kind,
        'seller', hold.released_by, null, orders.updated_utc,
        hold.oms_order_number || '/hold/' || hold.hold_id || '/released', hold.source_system,
        hold.key_prefix, hold.source_batch_id, hold.known_from_utc,
    from {{ ref('stg_oms__hold') }} as hold
    inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
    where hold.released_at_raw is not null
    union all
    select
        case change.change_kind when 'cancel' then 'cancelled' else 'amended' end, 'order_line', line.order_line_key,
        line.order_key, change.changed_at_raw, change.new_qty - change.old_qty, change.reason, change.initiator_raw,
        change.change_kind, line.item_number, cast(null as timestamp),
        change.oms_order_number || '/change/' || change.change_id, change.source_system, change.key_prefix,
        change.source_batch_id, change.known_from_utc,
    from {{ ref('stg_oms__change') }} as change
    inner join {{ ref('prt_oms_line') }} as line using (source_system, oms_order_number, line_number)
)

select *, {{ utc_from_z('event_time_raw') }} as event_time_utc,
from asserted
