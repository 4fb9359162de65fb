-- grain: one business event as its source asserts it; all systems on one UTC axis
{%- set connected = [] %}
{%- for role in ['erp', 'oms', 'wms', 'carrier'] if systems_of(role) %}
{%- do connected.append(role) %}
{%- endfor %}
with erp as (
    select
        event_key,
        event_type,
        object_type,
        object_key,
        order_key,
        event_time_raw,
        event_time_utc,
        event_time_utc_min,
        event_time_utc_max,
        time_precision,
        time_confidence,
        time_flags,
        time_rule,
        local_time as event_time_local,
        source_zone as tz_name,
        tzdb_version,
        item_number,
        qty,
        reason,
        initiator,
        detail,
        'erp' as source_role,
        source_system,
        cast(source_key as varchar) as source_key,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_erp_event') }}
),

oms as (
    select
        key_prefix || source_key || ':' || event_type as event_key,
        event_type,
        object_type,
        object_key,
        order_key,
        event_time_raw,
        event_time_utc,
        event_time_utc as event_time_utc_min,
        event_time_utc + interval 1 second as event_time_utc_max,
        case when event_time_utc is null then 'none' else 's' end as time_precision,
        case when event_time_utc is null then 0 else 100 end as time_confidence,
        case when event_time_utc is null then 'sentinel' end as time_flags,
        case when event_time_utc is null then 'T0' else 'T1' end as time_rule,
        'UTC' as tz_name,
        item_number,
        qty,
        reason,
        initiator,
        detail,
        recorded_at_utc,
        'oms' as source_role,
        source_system,
        source_key,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_oms_event') }}
),

wms as (
    select
        key_prefix || event_id as event_key,
        event_type,
        case
            when event_type in ('released', 'pick_started') then 'release'
            when event_type in ('put_away', 'adjusted', 'counted') then 'item'
            when event_type = 'ship_voided' then 'shipment' else 'order_line'
        end as object_type,
        case
            when event_type in ('released', 'pick_started') then key_prefix || warehouse_order
            when event_type in ('put_away', 'adjusted', 'counted') then erp_prefix || item_number
            when event_type = 'ship_voided' then key_prefix || shipment_number
            else order_line_key
        end as object_key,
        order_key,
        event_time_raw,
        event_time_utc,
        event_time_utc_min,
        event_time_utc_max,
        time_precision,
        time_confidence,
        time_flags,
        time_rule,
        event_time_local,
        tz_name,
        tzdb_version,
        site_code,
        item_number,
        qty,
        reason,
        coalesce(warehouse_order, lpn) as detail,
        'wms' as source_role,
        source_system,
        event_id as source_key,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_wms_event') }}
),

shipments as (
    select
        shipment_key || ':ship_confirmed' as event_key,
        'ship_confirmed' as event_type,
        'shipment' as object_type,
        shipment_key as object_key,
        order_key,
        shipped_raw as event_time_raw,
        shipped_utc as event_time_utc,
        shipped_utc_min as event_time_utc_min,
        shipped_utc_max as event_time_utc_max,
        shipped_precision as time_precision,
        time_confidence,
        shipped_flags as time_flags,
        time_rule,
        shipped_local as event_time_local,
        tz_name,
        tzdb_version,
        site_code,
        concat_ws(' ', shipment_number, carrier, tracking_number) as detail,
        {{ "'wms'" if systems_of('wms') else "'erp'" }} as source_role,
        source_system,
        source_key,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_shipment') }}
),

carriage as (
    select
        event_key,
        event_type,
        'shipment' as object_type,
        shipment_key as object_key,
        order_key,
        event_time_raw,
        event_time_utc,
        event_time_utc_min,
        event_time_utc_max,
        time_precision,
        time_confidence,
        nullif(concat_ws(',', time_flags, case when event_type <> 'label_created' and event_time_utc_max <= shipped_utc
                then 'causality_violation'
        end), '') as time_flags,
        time_rule,
        event_time_local,
        tz_name,
        tzdb_version,
        site_code,
        'carrier' as initiator,
        concat_ws(' ', tracking_number, description) as detail,
        recorded_at_utc,
        source_role,
        source_system,
        source_key,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_carrier_event') }}
),

events as (
    select * from erp
    union all by name
    select * from oms
    union all by name
    select * from wms
    union all by name
    select * from shipments
    union all by name
    select * from carriage
)

select
    events.event_key,
    events.event_type,
    events.object_type,
    events.object_key,
    events.order_key,
    coalesce(orders.root_order_key, events.order_key) as root_order_key,
    orders.order_number,
    events.event_time_raw,
    events.event_time_utc,
    events.event_time_utc_min,
    events.event_time_utc_max,
    case when events.event_time_utc is null then 'none' else events.time_precision end as time_precision,
    -- T0 and T20 apply to every source alike
    cast(case
        when events.event_time_utc is null then 0
        when events.event_time_utc > {{ as_of() }} + interval 5 minute then greatest(events.time_confidence - 40, 0)
        else events.time_confidence
    end as integer) as time_confidence,
    case
        when events.event_time_utc is null then 'sentinel'
        when events.event_time_utc > {{ as_of() }} + interval 5 minute
            and not contains(coalesce(events.time_flags, ''), 'future')
            then concat_ws(',', events.time_flags, 'future')
        else events.time_flags
    end as time_flags,
    case when events.event_time_utc is null then 'T0' else events.time_rule end as time_rule,
    events.event_time_local,
    events.tz_name,
    events.tzdb_version,
    coalesce(events.site_code, orders.site_code) as site_code,
    events.item_number,
    cast(events.qty as decimal(18, 4)) as qty,
    events.reason,
    coalesce(events.initiator, 'system') as initiator,
    events.detail,
    -- where the owning role is not connected, the system that speaks is the owner
    codes.owner_role is null
    or codes.owner_role = events.source_role
    or codes.owner_role not in ('{{ connected | join("', '") }}')
        as is_owner_assertion,
    events.recorded_at_utc,
    events.source_system,
    events.source_key,
    events.source_batch_id,
    events.known_from_utc,
    false as is_inferred,
    '1.0.0' as contract_version,
from events
left join {{ ref('can_sales_order') }} as orders on orders.order_key = events.order_key
left join {{ ref('codes_event_types') }} as codes on codes.event_type = events.event_type
