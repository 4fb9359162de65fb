-- grain: one scan of one tracked shipment; a scan sent twice (same id, or same code, time and place) counts once (T24)
{{ config(materialized='view') }}

with scans as (
    select
        tracking.carrier,
        tracking.tracking_number,
        tracking.shipment_number,
        tracking.updated_at_raw,
        entry.id as event_id,
        entry.code,
        entry.description,
        entry.at as event_time_raw,
        entry.city,
        entry.postal_code,
        position,
        tracking.doc_key,
        tracking.source_system,
        tracking.key_prefix,
        tracking.source_zone,
        tracking.erp_system,
        tracking.erp_prefix,
        tracking.source_batch_id,
        tracking.known_from_utc,
    from {{ ref('stg_carrier__tracking') }} as tracking,
        unnest(tracking.events) with ordinality as exploded (entry, position)
),

once_by_id as (
    select * from scans
    qualify
        row_number() over (
            partition by source_system, doc_key, coalesce(event_id, 'position ' || position) order by position
        ) = 1
)

select * from once_by_id
qualify
    row_number() over (
        partition by source_system, doc_key, code, event_time_raw, city, postal_code order by position
    ) = 1
