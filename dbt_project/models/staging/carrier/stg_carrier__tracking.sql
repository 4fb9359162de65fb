-- grain: one tracked shipment of one carrier, its document parsed once
{{ config(materialized='table', unique_key=['source_system', 'doc_key']) }}

with documents as (
    {{ union_documents('carrier', 'tracking') }}
),

parsed as (
    select
        * exclude (doc, updated_at_raw),
        from_json(doc, '{
            "carrier": "VARCHAR", "tracking_number": "VARCHAR", "service": "VARCHAR", "reference": "VARCHAR",
            "status": "VARCHAR", "updated_at": "VARCHAR",
            "events": [{"id": "VARCHAR", "code": "VARCHAR", "description": "VARCHAR", "at": "VARCHAR",
                "city": "VARCHAR", "postal_code": "VARCHAR"}]
        }') as content,
    from documents
)

select
    coalesce(content.carrier, split_part(doc_key, '|', 1)) as carrier,
    coalesce(content.tracking_number, split_part(doc_key, '|', 2)) as tracking_number,
    content.service,
    nullif(trim(content.reference), '') as shipment_number,
    content.status as status_raw,
    content.updated_at as updated_at_raw,
    content.events,
    doc_key,
    source_system,
    key_prefix,
    source_zone,
    erp_system,
    erp_prefix,
    source_batch_id,
    known_from_utc,
from parsed
