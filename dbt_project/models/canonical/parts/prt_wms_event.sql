-- grain: one warehouse event with its time in UTC; the site's zone is the place's (T8), else the system's own (T10)
{{ config(materialized='view') }}
with zoned as (
    select
        event.*,
        site.site_key,
        coalesce(site.zone, event.source_zone) as zone,
        case when site.zone is not null then 'T8' else 'T10' end as base_rule,
        {{ text_precision('event.event_time_raw') }} as time_precision,
        {{ parse_local('event.event_time_raw') }} as event_time_local,
    from {{ ref('stg_wms__event') }} as event
    left join {{ ref('can_site') }} as site
        on site.site_code = event.site_code
        and site.source_system in (event.erp_system, event.source_system)
)

select
    zoned.event_id,
    zoned.event_type,
    zoned.site_code,
    zoned.site_key,
    zoned.erp_prefix || zoned.order_number as order_key,
    zoned.erp_prefix || zoned.line_number as order_line_key,
    zoned.order_number,
    zoned.line_number,
    zoned.item_number,
    zoned.erp_prefix,
    zoned.release_number,
    zoned.warehouse_order,
    zoned.shipment_number,
    zoned.lpn,
    zoned.qty,
    zoned.reason,
    zoned.event_time_raw,
    zoned.event_time_local,
    {{ utc_columns('event_time', 'clock', 'zoned.event_time_local', 'zoned.time_precision') }}
    zoned.time_precision,
    {{ time_confidence('clock', 'zoned.base_rule', 'zoned.time_precision') }} as time_confidence,
    {{ time_flags('clock', 'zoned.base_rule', 'zoned.time_precision', [
        "case when " ~ is_normalized('zoned.event_time_raw') ~ " then 'normalized' end",
    ]) }} as time_flags,
    {{ time_rule('clock', 'zoned.base_rule', 'zoned.time_precision', is_normalized('zoned.event_time_raw')) }}
        as time_rule,
    zoned.zone as tz_name,
    clock.tzdb_version,
    zoned.key_prefix,
    zoned.source_system,
    zoned.source_batch_id,
    zoned.known_from_utc,
from zoned
{{ join_local_time('clock', 'zoned.event_time_local', 'zoned.zone', 'zoned.time_precision') }}
