-- shipped line vector: the advice's total is the sum of its cartons
{{ config(tags=['identity']) }}
with lines as (
    select source_system, shipment_number, sum(shipped_qty) as shipped_qty
    from {{ ref('stg_wms__ship_confirmation_line') }}
    group by all
)

select shipment.shipment_number, shipment.total_qty, lines.shipped_qty,
from {{ ref('stg_wms__ship_confirmation') }} as shipment
left join lines using (source_system, shipment_number)
where shipment.total_qty is not null and coalesce(shipment.purpose, 'N') <> 'V'
    and shipment.total_qty <> coalesce(lines.shipped_qty, 0)
