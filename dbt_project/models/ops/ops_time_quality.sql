-- Grain: one system x event type. How the instants of its events were known.
with events as (

    select
        source_system,
        event_type,
        time_confidence,
        ',' || coalesce(time_flags, '') || ',' as flags,
        event_time_utc,
        {{ kpi_seconds_between('event_time_utc_min', 'event_time_utc_max') }} as uncertainty_s,
    from {{ ref('can_event') }}

),

counted as (

    select
        source_system,
        event_type,
        count(*) as event_count,
        count(case when event_time_utc is null then 1 end) as untimed_events,
        count(case when time_confidence >= 98 then 1 end) as explicit_events,
        {%- for flag in ['assumed_zone', 'date_only', 'fold', 'gap', 'future', 'late'] %}
        count(case when flags like '%,{{ flag }},%' then 1 end) as {{ flag }}_events,
        {%- endfor %}
        max(uncertainty_s) as widest_uncertainty_s,
    from events
    group by
        source_system,
        event_type

)

select
    source_system,
    event_type,
    event_count,
    untimed_events,
    explicit_events,
    assumed_zone_events,
    date_only_events,
    fold_events,
    gap_events,
    future_events,
    late_events,
    widest_uncertainty_s,
    {{ kpi_ratio('explicit_events', 'event_count') }} as time_quality_share,
    {{ kpi_as_of() }} as as_of_utc,
from counted
