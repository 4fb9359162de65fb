-- grain: one line of one warehouse order; a released event sent twice counts once
-- without a warehouse system the ERP's orders stand for releases: one per order, of unknown instant
with releases as (
    {%- if systems_of('wms') %}
    select
        event.key_prefix || event.warehouse_order || '/' || event.line_number as release_line_key,
        event.key_prefix || event.warehouse_order as release_key,
        event.key_prefix || coalesce(event.release_number, event.warehouse_order) as release_event_key,
        event.order_key,
        event.order_line_key,
        event.site_key,
        coalesce(event.qty, 0) as released_qty,
        event.event_time_utc as released_utc,
        event.event_time_utc_min as released_utc_min,
        event.event_time_utc_max as released_utc_max,
        {{ provenance('event', 'event.event_id') }}
    from {{ ref('prt_wms_event') }} as event
    where event.event_type = 'released' and event.warehouse_order is not null and event.line_number is not null
    qualify
        row_number() over (
            partition by event.key_prefix, event.warehouse_order, event.line_number
            order by event.event_time_utc, event.event_id
        ) = 1
    {%- else %}
    select
        lines.order_line_key as release_line_key,
        lines.order_key as release_key,
        lines.order_key as release_event_key,
        lines.order_key,
        lines.order_line_key,
        orders.site_key,
        lines.ordered_original_qty as released_qty,
        cast(null as timestamp) as released_utc,
        cast(null as timestamp) as released_utc_min,
        cast(null as timestamp) as released_utc_max,
        {{ provenance('lines', 'lines.source_key') }}
    from {{ ref('can_order_line') }} as lines
    inner join {{ ref('can_sales_order') }} as orders using (order_key)
    {%- endif %}
)

select
    releases.release_line_key,
    releases.release_key,
    releases.release_event_key,
    releases.order_key,
    releases.order_line_key,
    coalesce(orders.root_order_key, releases.order_key) as root_order_key,
    coalesce(lines.root_order_line_key, releases.order_line_key) as root_order_line_key,
    coalesce(orders.chain_depth, 0) as chain_depth,
    releases.site_key,
    releases.released_qty,
    releases.released_utc,
    releases.released_utc_min,
    releases.released_utc_max,
    releases.source_system,
    releases.source_key,
    releases.source_batch_id,
    releases.known_from_utc,
    releases.is_inferred,
    releases.contract_version,
from releases
left join {{ ref('can_sales_order') }} as orders on orders.order_key = releases.order_key
left join {{ ref('can_order_line') }} as lines on lines.order_line_key = releases.order_line_key
