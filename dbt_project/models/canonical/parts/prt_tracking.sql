-- grain: one tracking document with the shipment it is about: by the shipment number it quotes (explicit id, 100),
-- else by tracking number within 120 days of the shipment, since carriers reuse numbers (normalized, 95)
{{ config(unique_key=['source_system', 'doc_key']) }}
with tracking as (
    select
        *,
        {{ utc_from_z('updated_at_raw') }} as updated_utc,
        upper(trim(tracking_number)) as tracking_number_normalized,
    from {{ ref('stg_carrier__tracking') }}
),

by_reference as (
    select
        tracking.source_system,
        tracking.doc_key,
        shipment.shipment_key,
        'explicit_id' as rung,
        100 as confidence,
    from tracking
    inner join {{ ref('prt_shipment') }} as shipment on shipment.shipment_number = tracking.shipment_number
    qualify
        row_number() over (
            partition by tracking.source_system, tracking.doc_key order by shipment.shipment_key
        ) = 1
),

by_number as (
    select
        tracking.source_system,
        tracking.doc_key,
        shipment.shipment_key,
        'normalized' as rung,
        95 as confidence,
    from tracking
    inner join {{ ref('prt_shipment') }} as shipment
        on upper(trim(shipment.tracking_number)) = tracking.tracking_number_normalized
        and shipment.shipped_utc <= tracking.updated_utc
        and shipment.shipped_utc > tracking.updated_utc - interval 120 day
    anti join by_reference
        on by_reference.source_system = tracking.source_system and by_reference.doc_key = tracking.doc_key
    qualify
        row_number() over (
            partition by tracking.source_system, tracking.doc_key order by shipment.shipped_utc desc, shipment.shipment_key asc
        ) = 1
),

matched as (
    select * from by_reference
    union all
    select * from by_number
)

select
    tracking.*,
    matched.shipment_key,
    matched.rung,
    matched.confidence,
from tracking
left join matched
    on matched.source_system = tracking.source_system and matched.doc_key = tracking.doc_key
