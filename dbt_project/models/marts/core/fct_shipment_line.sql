-- Grain: one order line in one handling unit of one shipment, voided ones included and marked. Quantities in base units.
with shipment_lines as (

    select * from {{ ref('can_shipment_line') }}

),

shipments as (

    select * from {{ ref('can_shipment') }}

),

billing as (

    select * from {{ ref('int_shipped_not_invoiced') }}

)

select
    shipment_lines.shipment_line_key,
    shipment_lines.shipment_key,
    shipments.shipment_number,
    shipment_lines.order_line_key,
    shipment_lines.root_order_key,
    shipment_lines.root_order_line_key,
    shipment_lines.release_key,
    shipment_lines.release_event_key,
    shipment_lines.handling_unit_key,
    coalesce(shipment_lines.item_key, 'unknown') as item_key,
    coalesce(shipments.site_key, 'unknown') as site_key,
    shipment_lines.shipped_qty,
    shipments.shipped_date,
    shipment_lines.shipped_utc,
    shipment_lines.shipped_utc_min,
    shipment_lines.shipped_utc_max,
    shipment_lines.is_void,
    coalesce(billing.open_qty > 0, false) and not shipment_lines.is_void as has_open_billing,
from shipment_lines
left join shipments
    on shipments.shipment_key = shipment_lines.shipment_key
left join billing
    on billing.order_line_key = shipment_lines.order_line_key
