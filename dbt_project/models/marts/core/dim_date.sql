-- Grain: one calendar day. Labels as the KPI cells spell their periods.
-- The ISO week is computed from its Thursday, not by an engine's week function: numbering differs between engines.
with days as (

    {{ kpi_days('2000-01-01', '2049-12-31') }}

),

-- 1999-12-27 was a Monday
numbered as (

    select
        date_day,
        date_day - date '1999-12-27' as day_number,
    from days

),

weeks as (

    select
        date_day,
        cast(day_number % 7 + 1 as integer) as iso_day_of_week,
        cast(date '1999-12-27' + cast(day_number - day_number % 7 + 3 as integer) as date) as iso_thursday,
    from numbered

),

parts as (

    select
        date_day,
        iso_day_of_week,
        cast(extract(year from date_day) as integer) as calendar_year,
        cast(extract(quarter from date_day) as integer) as calendar_quarter,
        cast(extract(month from date_day) as integer) as calendar_month,
        cast(extract(day from date_day) as integer) as day_of_month,
        cast(extract(year from iso_thursday) as integer) as iso_year,
        cast((extract(doy from iso_thursday) - 1 - (extract(doy from iso_thursday) - 1) % 7) / 7 + 1 as integer) as iso_week,
    from weeks

)

select
    date_day,
    calendar_year,
    calendar_quarter,
    calendar_month,
    day_of_month,
    iso_year,
    iso_week,
    iso_day_of_week,
    iso_day_of_week >= 6 as is_weekend,
    cast(date_day as varchar) as day_label,
    cast(iso_year as varchar) || '-W' || lpad(cast(iso_week as varchar), 2, '0') as week_label,
    cast(calendar_year as varchar) || '-' || lpad(cast(calendar_month as varchar), 2, '0') as month_label,
    cast(calendar_year as varchar) || '-Q' || cast(calendar_quarter as varchar) as quarter_label,
    cast(calendar_year as varchar) as year_label,
from parts
