-- grain: one physical shipment; shipped is the warehouse's word, delivered the carrier's, then the ERP's copy of it
with deliveries as (
    -- the surest claim of the first-ranked role; of equals the earliest, since a proof reopened later does not undo it
    select *
    from {{ ref('prt_carrier_event') }}
    where event_type = 'delivered' and shipment_key is not null and event_time_utc is not null
    qualify
        row_number() over (
            partition by shipment_key
            order by source_role asc, time_confidence desc, event_time_utc asc, event_key asc
        ) = 1
),

references_seen as (
    select
        shipment_key,
        min(tracking_number) as tracking_number,
    from (
        select
            shipment_key,
            tracking_number,
        from {{ ref('prt_tracking') }}
        where shipment_key is not null
        union all
        select
            shipment_key,
            tracking_number,
        from {{ ref('prt_erp_delivery_event') }}
    ) as tracking
    group by all
)

select
    shipment.shipment_key,
    shipment.order_key,
    shipment.root_order_key,
    shipment.site_key,
    shipment.site_code,
    shipment.customer_category,
    shipment.shipment_number,
    shipment.carrier,
    shipment.service,
    coalesce(shipment.tracking_number, references_seen.tracking_number) as tracking_number,
    shipment.tracking_number is not null or references_seen.shipment_key is not null as has_tracking,
    shipment.shipped_utc,
    shipment.shipped_utc_min,
    shipment.shipped_utc_max,
    shipment.shipped_precision,
    shipment.shipped_flags,
    shipment.shipped_date,
    deliveries.event_time_utc as delivered_utc,
    deliveries.event_time_utc_min as delivered_utc_min,
    deliveries.event_time_utc_max as delivered_utc_max,
    deliveries.time_precision as delivered_precision,
    nullif(concat_ws(
        ',',
        deliveries.time_flags,
        case when deliveries.event_time_utc_max <= shipment.shipped_utc_min then 'causality_violation' end
    ), '') as delivered_flags,
    deliveries.event_date as delivered_date,
    shipment.is_void,
    {{ provenance('shipment', 'shipment.source_key') }}
from {{ ref('prt_shipment') }} as shipment
left join deliveries using (shipment_key)
left join references_seen using (shipment_key)
