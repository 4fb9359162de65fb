-- grain: one carton of one shipment
select
    shipment.shipment_key || '/' || line.handling_unit as handling_unit_key,
    shipment.shipment_key,
    line.handling_unit as sscc,
    any_value(shipment.tracking_number) as tracking_number,
    line.source_system,
    line.handling_unit as source_key,
    min(line.source_batch_id) as source_batch_id,
    min(line.known_from_utc) as known_from_utc,
    false as is_inferred,
    '1.0.0' as contract_version,
from {{ ref('stg_wms__ship_confirmation_line') }} as line
inner join {{ ref('can_shipment') }} as shipment on shipment.shipment_key = line.key_prefix || line.shipment_number
where line.handling_unit is not null
group by shipment.shipment_key, line.handling_unit, line.source_system
