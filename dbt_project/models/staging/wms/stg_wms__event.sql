-- grain: one warehouse event (put_away and adjusted have no order); time is text on the site's own clock
{{ config(materialized='table', unique_key=['source_system', 'event_id']) }}

with documents as (
    {{ union_documents('wms', 'event') }}
),

parsed as (
    select
        * exclude (doc, updated_at_raw),
        from_json(doc, '{
            "id": "VARCHAR", "type": "VARCHAR", "site": "VARCHAR", "at": "VARCHAR", "release": "VARCHAR",
            "warehouse_order": "VARCHAR", "order": "VARCHAR", "line": "VARCHAR", "sku": "VARCHAR", "qty": "VARCHAR",
            "reason": "VARCHAR", "lpn": "VARCHAR", "shipment": "VARCHAR"
        }') as content,
    from documents
)

select
    coalesce(content.id, doc_key) as event_id,
    content.type as event_type,
    content.site as site_code,
    content.at as event_time_raw,
    content.release as release_number,
    content.warehouse_order,
    content."order" as order_number,
    content.line as line_number,
    content.sku as item_number,
    cast(content.qty as decimal(18, 4)) as qty,
    content.reason,
    content.lpn,
    content.shipment as shipment_number,
    source_system,
    key_prefix,
    source_zone,
    erp_system,
    erp_prefix,
    source_batch_id,
    known_from_utc,
from parsed
