-- Grain: one system x event type. Share of events that are tied to an order of the platform.
with events as (

    select * from {{ ref('can_event') }}

),

orders as (

    select
        order_key,
        is_inferred,
    from {{ ref('can_sales_order') }}

),

-- an inferred order is only the event's own claim, so it correlates nothing
counted as (

    select
        events.source_system,
        events.event_type,
        count(*) as event_count,
        count(case when not orders.is_inferred then 1 end) as correlated_events,
    from events
    left join orders
        on orders.order_key = coalesce(events.order_key, events.root_order_key)
    where events.object_type in ('order', 'order_line', 'release', 'shipment', 'invoice', 'return')
    group by
        events.source_system,
        events.event_type

)

select
    source_system,
    event_type,
    event_count,
    correlated_events,
    event_count - correlated_events as orphan_events,
    {{ kpi_ratio('correlated_events', 'event_count') }} as correlation_rate,
    {{ kpi_as_of() }} as as_of_utc,
from counted
