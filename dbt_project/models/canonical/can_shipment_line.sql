-- grain: shipment x order line x carton
with shipped as (
    {%- if systems_of('wms') %}
    select
        shipment.shipment_key || '/' || line.assigned as shipment_line_key,
        shipment.shipment_key,
        line.erp_prefix || line.line_number as order_line_key,
        line.key_prefix || confirmation.release_number || '-' || shipment.site_code as release_key,
        line.key_prefix || confirmation.release_number as release_event_key,
        line.erp_prefix || line.item_number as item_key,
        line.shipped_qty,
        case
            when line.handling_unit is not null
                then shipment.shipment_key || '/' || line.handling_unit
        end as handling_unit_key,
        shipment.shipped_utc,
        shipment.shipped_utc_min,
        shipment.shipped_utc_max,
        shipment.root_order_key,
        shipment.is_void,
        {{ provenance('line', "line.shipment_number || '/' || line.assigned") }}
    from {{ ref('stg_wms__ship_confirmation_line') }} as line
    inner join {{ ref('stg_wms__ship_confirmation') }} as confirmation using (source_system, shipment_number)
    inner join {{ ref('prt_shipment') }} as shipment
        on shipment.shipment_key = line.key_prefix || line.shipment_number
    where line.line_number is not null
    {%- else %}
    select
        line.key_prefix || line.order_line_id as shipment_line_key,
        shipment.shipment_key,
        line.key_prefix || line.order_line_id as order_line_key,
        shipment.order_key as release_key,
        shipment.order_key as release_event_key,
        line.key_prefix || line.stock_item_id as item_key,
        cast(line.picked_quantity as decimal(18, 4)) as shipped_qty,
        cast(null as varchar) as handling_unit_key,
        {{ utc_columns('shipped', 'clock', 'line.picking_completed_when', "'us'") }}
        shipment.root_order_key,
        shipment.is_void,
        {{ provenance('line', 'line.order_line_id') }}
    from {{ ref('stg_erp__sales_order_lines') }} as line
    inner join {{ ref('prt_shipment') }} as shipment on shipment.shipment_key = line.key_prefix || line.order_id
    {{ join_local_time('clock', 'line.picking_completed_when', 'line.source_zone') }}
    where line.picked_quantity > 0
    {%- endif %}
)

select
    -- noqa: disable=RF02
    shipped.* exclude (source_system, source_key, source_batch_id, known_from_utc, is_inferred, contract_version),
    -- noqa: enable=RF02
    coalesce(lines.root_order_line_key, shipped.order_line_key) as root_order_line_key,
    shipped.source_system,
    shipped.source_key,
    shipped.source_batch_id,
    shipped.known_from_utc,
    shipped.is_inferred,
    shipped.contract_version,
from shipped
left join {{ ref('can_order_line') }} as lines on lines.order_line_key = shipped.order_line_key
