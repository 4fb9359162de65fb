-- grain: one carton line of one shipment
{{ config(materialized='table') }}

select
    shipments.shipment_number,
    shipments.site_code,
    coalesce(entry.assigned, cast(position as varchar)) as assigned,
    nullif(entry.handling_unit, '') as handling_unit,
    entry.sku as item_number,
    entry.order_line as line_number,
    cast(nullif(entry.qty_ordered, '') as decimal(18, 4)) as ordered_qty,
    cast(coalesce(nullif(entry.qty_shipped, ''), '0') as decimal(18, 4)) as shipped_qty,
    entry.uom,
    shipments.source_system,
    shipments.key_prefix,
    shipments.erp_prefix,
    shipments.source_batch_id,
    shipments.known_from_utc,
from {{ ref('stg_wms__ship_confirmation') }} as shipments,
    unnest(shipments.lines) with ordinality as exploded (entry, position)
