-- grain: one event an OMS asserts; its times end in Z (T1)
{{ config(materialized='view') }}
with asserted as (
    select
        'received' as event_type,
        'order' as object_type,
        orders.order_key as object_key,
        orders.order_key,
        orders.created_at_raw as event_time_raw,
        cast(null as decimal(18, 4)) as qty,
        cast(null as varchar) as reason,
        'customer' as initiator,
        orders.channel_code as detail,
        cast(null as varchar) as item_number,
        orders.updated_utc as recorded_at_utc,
        orders.oms_order_number as source_key,
        orders.source_system,
        orders.key_prefix,
        orders.source_batch_id,
        orders.known_from_utc,
    from {{ ref('prt_oms_order') }} as orders
    union all
    select
        case when promise.promise_version = 1 then 'promised' else 're-promised' end as event_type,
        'order' as object_type,
        orders.order_key as object_key,
        orders.order_key,
        promise.made_at_raw as event_time_raw,
        null as qty,
        null as reason,
        'seller' as initiator,
        cast(promise.promised_date as varchar) as detail,
        null as item_number,
        orders.updated_utc as recorded_at_utc,
        promise.oms_order_number || '/promise/' || promise.promise_version as source_key,
        promise.source_system,
        promise.key_prefix,
        promise.source_batch_id,
        promise.known_from_utc,
    from {{ ref('stg_oms__promise') }} as promise
    inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
    union all
    select
        'held' as event_type,
        'order' as object_type,
        orders.order_key as object_key,
        orders.order_key,
        hold.placed_at_raw as event_time_raw,
        null as qty,
        hold.hold_kind as reason,
        'seller' as initiator,
        null as detail,
        null as item_number,
        orders.updated_utc as recorded_at_utc,
        hold.oms_order_number || '/hold/' || hold.hold_id as source_key,
        hold.source_system,
        hold.key_prefix,
        hold.source_batch_id,
        hold.known_from_utc,
    from {{ ref('stg_oms__hold') }} as hold
    inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
    union all
    select
        'hold_released' as event_type,
        'order' as object_type,
        orders.order_key as object_key,
        orders.order_key,
        hold.released_at_raw as event_time_raw,
        null as qty,
        hold.hold_kind as reason,
        'seller' as initiator,
        hold.released_by as detail,
        null as item_number,
        orders.updated_utc as recorded_at_utc,
        hold.oms_order_number || '/hold/' || hold.hold_id || '/released' as source_key,
        hold.source_system,
        hold.key_prefix,
        hold.source_batch_id,
        hold.known_from_utc,
    from {{ ref('stg_oms__hold') }} as hold
    inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
    where hold.released_at_raw is not null
    union all
    select
        case change.change_kind when 'cancel' then 'cancelled' else 'amended' end as event_type,
        'order_line' as object_type,
        line.order_line_key as object_key,
        line.order_key,
        change.changed_at_raw as event_time_raw,
        change.new_qty - change.old_qty as qty,
        change.reason,
        change.initiator_raw as initiator,
        change.change_kind as detail,
        line.item_number,
        cast(null as timestamp) as recorded_at_utc,
        change.oms_order_number || '/change/' || change.change_id as source_key,
        change.source_system,
        change.key_prefix,
        change.source_batch_id,
        change.known_from_utc,
    from {{ ref('stg_oms__change') }} as change
    inner join {{ ref('prt_oms_line') }} as line using (source_system, oms_order_number, line_number)
)

select
    *,
    {{ utc_from_z('event_time_raw') }} as event_time_utc,
from asserted
