-- Grain: one business event as its source asserts it, with every number a person may ask for its order by.
with events as (

    select * from {{ ref('can_event') }}

),

orders as (

    select * from {{ ref('can_sales_order') }}

)

select
    events.event_key,
    events.event_type,
    events.object_type,
    events.object_key,
    events.order_key,
    coalesce(events.root_order_key, orders.root_order_key) as root_order_key,
    coalesce(orders.order_number, events.order_number) as order_number,
    coalesce(orders.oms_order_number, roots.oms_order_number) as oms_order_number,
    coalesce(orders.customer_po, roots.customer_po) as customer_po,
    roots.order_number as root_order_number,
    events.order_number as source_order_number,
    events.source_system,
    events.source_key,
    events.event_time_raw,
    events.event_time_local,
    events.tz_name,
    events.event_time_utc,
    events.event_time_utc_min,
    events.event_time_utc_max,
    events.time_precision,
    events.time_confidence,
    events.time_flags,
    events.time_rule,
    events.site_code,
    events.item_number,
    events.qty,
    events.reason,
    events.initiator,
    events.detail,
    events.is_owner_assertion,
    events.recorded_at_utc,
    events.known_from_utc,
from events
left join orders
    on orders.order_key = events.order_key
left join orders as roots
    on roots.order_key = coalesce(events.root_order_key, orders.root_order_key)
