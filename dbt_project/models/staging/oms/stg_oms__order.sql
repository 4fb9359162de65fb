-- grain: one OMS order as last seen, its document parsed once; times are text in UTC, as sent
{{ config(materialized='table', unique_key=['source_system', 'oms_order_number']) }}

with documents as (
    {{ union_documents('oms', 'orders') }}
),

parsed as (
    select
        *,
        from_json(doc, '{
            "number": "VARCHAR", "channel": "VARCHAR", "customer_ref": "VARCHAR", "customer_po": "VARCHAR",
            "created_at": "VARCHAR", "updated_at": "VARCHAR", "status": "VARCHAR", "is_test": "BOOLEAN",
            "ship_to": {"postal_code": "VARCHAR", "zone": "VARCHAR"},
            "lines": [{"line": "VARCHAR", "sku": "VARCHAR", "qty_ordered": "VARCHAR", "qty": "VARCHAR",
                "unit": "VARCHAR", "unit_price": "VARCHAR", "status": "VARCHAR"}],
            "promises": [{"version": "VARCHAR", "promised_date": "VARCHAR", "made_at": "VARCHAR"}],
            "holds": [{"id": "VARCHAR", "kind": "VARCHAR", "placed_at": "VARCHAR", "released_at": "VARCHAR",
                "released_by": "VARCHAR"}],
            "changes": [{"id": "VARCHAR", "line": "VARCHAR", "kind": "VARCHAR", "qty_from": "VARCHAR",
                "qty_to": "VARCHAR", "initiator": "VARCHAR", "reason": "VARCHAR", "at": "VARCHAR"}]
        }') as content,
    from documents
)

select
    coalesce(content.number, doc_key) as oms_order_number,
    content.channel as channel_code,
    content.customer_ref,
    content.customer_po,
    content.created_at as created_at_raw,
    content.updated_at as updated_at_raw,
    content.status as status_raw,
    coalesce(content.is_test, false) as is_test,
    content.ship_to.postal_code as ship_to_postal_code,
    content.ship_to.zone as ship_to_zone,
    content.lines,
    content.promises,
    content.holds,
    content.changes,
    source_system,
    source_role,
    key_prefix,
    source_zone,
    erp_system,
    erp_prefix,
    system_rank,
    source_batch_id,
    known_from_utc,
from parsed
