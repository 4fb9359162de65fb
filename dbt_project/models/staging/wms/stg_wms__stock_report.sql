-- grain: one line of a stock report; time is text on the site's own clock
{{ config(materialized='view') }}

with documents as (
    {{ union_documents('wms', 'stock_report') }}
),

parsed as (
    select
        * exclude (doc, updated_at_raw),
        from_json(doc, '{
            "site": "VARCHAR", "sku": "VARCHAR", "lot": "VARCHAR", "status": "VARCHAR", "owner": "VARCHAR",
            "on_hand": "VARCHAR", "allocated": "VARCHAR", "as_of_local": "VARCHAR"
        }') as content,
    from documents
)

select
    doc_key,
    content.site as site_code,
    content.sku as item_number,
    nullif(content.lot, '') as lot,
    nullif(content.status, '') as stock_status,
    nullif(content.owner, '') as stock_owner,
    cast(coalesce(nullif(content.on_hand, ''), '0') as decimal(18, 4)) as on_hand_qty,
    cast(nullif(content.allocated, '') as decimal(18, 4)) as allocated_qty,
    content.as_of_local as as_of_raw,
    source_system,
    key_prefix,
    source_zone,
    erp_system,
    erp_prefix,
    source_batch_id,
    known_from_utc,
from parsed
