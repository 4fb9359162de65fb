-- grain: one shipment per warehouse system; of several confirmations the one with the highest control numbers speaks
-- (a re-sent 945 has a new interchange control number; a void, purpose V, comes after what it voids)
{{ config(materialized='table', unique_key=['source_system', 'shipment_number']) }}

with documents as (
    {{ union_documents('wms', 'ship_confirmation') }}
),

parsed as (
    select
        * exclude (doc, updated_at_raw),
        from_json(doc, '{
            "site": "VARCHAR", "interchange_control": "VARCHAR", "transaction_control": "VARCHAR",
            "purpose": "VARCHAR", "order_number": "VARCHAR", "shipment_number": "VARCHAR", "release": "VARCHAR",
            "ship_date": "VARCHAR", "ship_time": "VARCHAR", "tracking_number": "VARCHAR", "carrier_code": "VARCHAR",
            "service": "VARCHAR", "total_qty": "VARCHAR", "file": "VARCHAR",
            "lines": [{"assigned": "VARCHAR", "handling_unit": "VARCHAR", "sku": "VARCHAR", "order_line": "VARCHAR",
                "qty_ordered": "VARCHAR", "qty_shipped": "VARCHAR", "uom": "VARCHAR", "status": "VARCHAR"}]
        }') as content,
    from documents
),

ranked as (
    select
        *,
        row_number() over (
            partition by source_system, content.shipment_number
            order by
                try_cast(content.interchange_control as bigint) desc nulls last,
                content.transaction_control desc,
                doc_key desc
        ) as newest_rank,
    from parsed
),

-- a void may carry no lines: what it voids does
confirmed as (
    select
        source_system,
        content.shipment_number,
        arg_max(content.lines, coalesce(try_cast(content.interchange_control as bigint), 0)) as lines,
    from parsed
    where coalesce(content.purpose, 'N') <> 'V'
    group by all
)

select
    ranked.content.shipment_number,
    coalesce(ranked.content.site, split_part(ranked.doc_key, '|', 1)) as site_code,
    ranked.content.purpose,
    ranked.content.order_number,
    ranked.content.release as release_number,
    nullif(ranked.content.ship_date, '') as ship_date_raw,
    nullif(ranked.content.ship_time, '') as ship_time_raw,
    nullif(ranked.content.tracking_number, '') as tracking_number,
    ranked.content.carrier_code as carrier,
    ranked.content.service,
    cast(nullif(ranked.content.total_qty, '') as decimal(18, 4)) as total_qty,
    coalesce(confirmed.lines, ranked.content.lines) as lines,
    ranked.doc_key,
    ranked.source_system,
    ranked.key_prefix,
    ranked.source_zone,
    ranked.erp_system,
    ranked.erp_prefix,
    ranked.source_batch_id,
    ranked.known_from_utc,
from ranked
left join confirmed
    on confirmed.source_system = ranked.source_system
    and confirmed.shipment_number = ranked.content.shipment_number
where ranked.newest_rank = 1
