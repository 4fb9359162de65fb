-- grain: one ERP line number that a warehouse document or an ERP child quotes before the line has arrived
{{ config(materialized='view') }}
with quoted as (
    select
        erp_prefix as key_prefix,
        line_number,
        order_number,
        item_number,
        source_system,
        source_batch_id,
        known_from_utc,
    from {{ ref('stg_wms__event') }}
    where line_number is not null
    union all
    select
        lines.erp_prefix as key_prefix,
        lines.line_number,
        shipments.order_number,
        lines.item_number,
        lines.source_system,
        lines.source_batch_id,
        lines.known_from_utc,
    from {{ ref('stg_wms__ship_confirmation_line') }} as lines
    inner join {{ ref('stg_wms__ship_confirmation') }} as shipments using (source_system, shipment_number)
    where lines.line_number is not null
)

select
    key_prefix || line_number as order_line_key,
    line_number,
    key_prefix || min(order_number) as order_key,
    key_prefix || min(item_number) as item_key,
    min(source_system) as source_system,
    min(source_batch_id) as source_batch_id,
    min(known_from_utc) as known_from_utc,
from quoted
where key_prefix || line_number not in (select chain.order_line_key from {{ ref('prt_erp_line_chain') }} as chain)
group by key_prefix, line_number
having min(order_number) is not null
