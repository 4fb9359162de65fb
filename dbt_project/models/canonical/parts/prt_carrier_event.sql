-- grain: one carriage event with its time in UTC, from carriers and from ERPs that keep a carrier's log
-- with an offset: T2 (T1 for Z); a bare date or local time is read on the ship-to clock of its order (T8)
{{ config(unique_key=['event_key']) }}
with scans as (
    select
        tracking.shipment_key,
        scan.shipment_number,
        scan.tracking_number,
        coalesce(own_code.event_type, any_code.event_type, 'scanned') as event_type,
        scan.code || coalesce(' ' || scan.description, '') || coalesce(' ' || scan.city, '') as description,
        scan.event_time_raw,
        {{ without_offset("replace(scan.event_time_raw, 'T', ' ')") }} as event_time_text,
        {{ stated_offset_s('scan.event_time_raw') }} as offset_s,
        cast(null as varchar) as erp_zone,
        scan.key_prefix || scan.doc_key || '/' || coalesce(scan.event_id, cast(scan.position as varchar)) as event_key,
        tracking.updated_utc as recorded_at_utc,
        scan.doc_key as source_key,
        scan.source_system,
        'carrier' as source_role,
        scan.source_batch_id,
        scan.known_from_utc,
    from {{ ref('stg_carrier__event') }} as scan
    inner join {{ ref('prt_tracking') }} as tracking using (source_system, doc_key)
    left join {{ ref('codes_carrier_event') }} as own_code
        on own_code.carrier = scan.carrier and own_code.code = scan.code
    left join {{ ref('codes_carrier_event') }} as any_code on any_code.carrier = '*' and any_code.code = scan.code
    union all
    select
        shipment_key,
        shipment_number,
        tracking_number,
        event_type,
        description,
        event_time_raw,
        event_time_text,
        null as offset_s,
        zone as erp_zone,
        key_prefix || 'delivery:' || source_key as event_key,
        null as recorded_at_utc,
        source_key,
        source_system,
        'erp' as source_role,
        source_batch_id,
        known_from_utc,
    from {{ ref('prt_erp_delivery_event') }}
),

zoned as (
    select
        scans.*,
        shipment.order_key,
        shipment.root_order_key,
        shipment.order_number,
        shipment.site_code,
        shipment.shipped_utc,
        coalesce(scans.erp_zone, shipment.ship_to_zone) as zone,
        case
            when scans.offset_s = 0 then 'T1'
            when scans.offset_s is not null then 'T2'
            when scans.erp_zone is not null then 'T10'
            else 'T8'
        end as base_rule,
        {{ text_precision('scans.event_time_text') }} as time_precision,
        {{ parse_local('scans.event_time_text') }} as event_time_local,
        case when scans.offset_s is null then event_time_local end as unzoned_local,
        event_time_local - to_seconds(scans.offset_s) as stated_utc,
    from scans
    left join {{ ref('prt_shipment') }} as shipment using (shipment_key)
)

select
    zoned.event_key,
    zoned.event_type,
    zoned.shipment_key,
    zoned.order_key,
    zoned.root_order_key,
    zoned.order_number,
    zoned.shipment_number,
    zoned.tracking_number,
    zoned.site_code,
    zoned.description,
    zoned.event_time_raw,
    zoned.event_time_local,
    coalesce(zoned.stated_utc, {{ utc_central('clock', 'zoned.unzoned_local', 'zoned.time_precision') }})
        as event_time_utc,
    coalesce(zoned.stated_utc, {{ utc_first('clock', 'zoned.unzoned_local') }}) as event_time_utc_min,
    coalesce(
        zoned.stated_utc + {{ precision_step('zoned.time_precision') }},
        {{ utc_end('clock', 'zoned.unzoned_local', 'zoned.time_precision') }}
    ) as event_time_utc_max,
    cast(coalesce({{ local_of('place', 'zoned.stated_utc') }}, zoned.event_time_local) as date) as event_date,
    zoned.time_precision,
    {{ time_confidence('clock', 'zoned.base_rule', 'zoned.time_precision') }} as time_confidence,
    {{ time_flags('clock', 'zoned.base_rule', 'zoned.time_precision', [
        "case when " ~ is_normalized('zoned.event_time_text') ~ " then 'normalized' end",
        "case when zoned.recorded_at_utc > coalesce(zoned.stated_utc, "
            ~ utc_end('clock', 'zoned.unzoned_local', 'zoned.time_precision') ~ ") + interval 24 hour then 'late' end",
        future_flag("coalesce(zoned.stated_utc, " ~ utc_first('clock', 'zoned.unzoned_local') ~ ")"),
    ]) }} as time_flags,
    {{ time_rule('clock', 'zoned.base_rule', 'zoned.time_precision', is_normalized('zoned.event_time_text')) }}
        as time_rule,
    case
        when zoned.offset_s is not null then nullif(regexp_extract(zoned.event_time_raw, '(Z|[+-]\d{2}:?\d{2})$'), '')
        else zoned.zone
    end as tz_name,
    clock.tzdb_version,
    zoned.recorded_at_utc,
    zoned.shipped_utc,
    zoned.source_key,
    zoned.source_system,
    zoned.source_role,
    zoned.source_batch_id,
    zoned.known_from_utc,
from zoned
{{ join_local_time('clock', 'zoned.unzoned_local', 'zoned.zone', 'zoned.time_precision') }}
{{ join_utc_offset('place', 'zoned.stated_utc', 'zoned.zone') }}
