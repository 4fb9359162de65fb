-- grain: zone x stretch of local time that is read in one way
-- one = the local time happened once; fold = twice (T11, first and second offset); gap = never (T12: keeping the
-- offset before the gap shifts the time forward by the size of the gap). Segments of a zone neither overlap nor leave holes.
{{ config(materialized='table') }}

with periods as (
    select
        *,
        lag(local_until) over zone_in_time as previous_local_until,
        lead(local_from) over zone_in_time as next_local_from,
        lead(utc_offset_s) over zone_in_time as next_utc_offset_s,
    from {{ ref('time_utc_offset') }}
    window zone_in_time as (partition by zone order by utc_from)
),

single as (
    select
        zone,
        greatest(local_from, coalesce(previous_local_until, local_from)) as local_from,
        least(local_until, coalesce(next_local_from, local_until)) as local_until,
        'one' as reading,
        utc_offset_s as first_utc_offset_s,
        utc_offset_s as second_utc_offset_s,
        tzdb_version,
    from periods
),

repeated as (
    select
        zone,
        next_local_from as local_from,
        local_until,
        'fold' as reading,
        utc_offset_s as first_utc_offset_s,
        next_utc_offset_s as second_utc_offset_s,
        tzdb_version,
    from periods
    where next_local_from < local_until
),

skipped as (
    select
        zone,
        local_until as local_from,
        next_local_from as local_until,
        'gap' as reading,
        utc_offset_s as first_utc_offset_s,
        utc_offset_s as second_utc_offset_s,
        tzdb_version,
    from periods
    where next_local_from > local_until
)

select * from single
where local_from < local_until
union all by name
select * from repeated
union all by name
select * from skipped
