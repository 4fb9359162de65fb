{#
  Naive local time to UTC and back by the offset table; no engine's time zone function is used (they disagree).
  join_local_time(alias, local, zone, precision) joins the segment of the time and, for a date (T14), of the following
  midnight; the other macros read those two joins. Intervals are half-open: [_utc_min, _utc_max).
#}

{% macro join_local_time(alias, local, zone, precision="'s'") -%}
left join {{ ref('time_local_segment') }} as {{ alias }}
    on {{ alias }}.zone = {{ zone }}
    and {{ local }} >= {{ alias }}.local_from
    and {{ local }} < {{ alias }}.local_until
    {%- if precision != "'s'" and precision != "'us'" %}
left join {{ ref('time_local_segment') }} as {{ alias }}_next
    on {{ alias }}_next.zone = {{ zone }}
    and (case when {{ precision }} = 'day' then {{ local }} + interval 1 day end) >= {{ alias }}_next.local_from
    and (case when {{ precision }} = 'day' then {{ local }} + interval 1 day end) < {{ alias }}_next.local_until
    {%- endif %}
{%- endmacro %}

{# First instant that shows this local time: T11 takes the first of two; in a gap the old offset shifts forward (T12). #}
{% macro utc_first(alias, local) -%}
    ({{ local }} - to_seconds({{ alias }}.first_utc_offset_s))
{%- endmacro %}

{# Length of the interval that a precision leaves open (T13). #}
{% macro precision_step(precision) -%}
    {%- if precision == "'s'" -%}interval 1 second
    {%- elif precision == "'us'" -%}interval 1 microsecond
    {%- else -%}
    case {{ precision }}
        when 'us' then interval 1 microsecond
        when 'ms' then interval 1 millisecond
        when 'min' then interval 1 minute
        when 'hour' then interval 1 hour
        else interval 1 second
    end
    {%- endif -%}
{%- endmacro %}

{# End of the interval. In a fold the two instants bound it (T11): the end is the second one. #}
{% macro utc_end(alias, local, precision) -%}
    case
        {%- if precision not in ["'s'", "'us'"] %}
        when {{ precision }} = 'day'
            then {{ local }} + interval 1 day - to_seconds({{ alias }}_next.first_utc_offset_s)
        {%- endif %}
        when {{ alias }}.reading = 'fold'
            {%- if precision not in ["'s'", "'us'"] %} and {{ precision }} not in ('min', 'hour'){% endif %}
            then {{ local }} - to_seconds({{ alias }}.second_utc_offset_s)
        else {{ local }} - to_seconds({{ alias }}.second_utc_offset_s) + {{ precision_step(precision) }}
    end
{%- endmacro %}

{# Central value: the first instant; for a date, the last second of the day, since the day's work is done by then (T14). #}
{% macro utc_central(alias, local, precision) -%}
    case
        when {{ precision }} = 'day' then {{ utc_end(alias, local, precision) }} - interval 1 second
        else {{ utc_first(alias, local) }}
    end
{%- endmacro %}

{# The three columns <name>_utc, <name>_utc_min, <name>_utc_max. #}
{% macro utc_columns(name, alias, local, precision="'s'") -%}
    {%- if precision in ["'s'", "'us'"] -%}
    {{ utc_first(alias, local) }} as {{ name }}_utc,
    {{ utc_first(alias, local) }} as {{ name }}_utc_min,
    {{ utc_end(alias, local, precision) }} as {{ name }}_utc_max,
    {%- else -%}
    {{ utc_central(alias, local, precision) }} as {{ name }}_utc,
    {{ utc_first(alias, local) }} as {{ name }}_utc_min,
    {{ utc_end(alias, local, precision) }} as {{ name }}_utc_max,
    {%- endif -%}
{%- endmacro %}

{# Rule id with its modifiers, and the confidence and flags they lead to. `rule` is T5, T8, T9 or T10 with its base. #}
{% macro time_rule(alias, rule, precision, normalized='false') -%}
    {{ rule }}
    || case {{ alias }}.reading when 'fold' then '+T11' when 'gap' then '+T12' else '' end
    || case when {{ precision }} = 'day' then '+T14' when {{ precision }} in ('min', 'hour') then '+T13' else '' end
    || case when {{ normalized }} then '+T16' else '' end
{%- endmacro %}

{% macro rule_confidence(rule) -%}
    case {{ rule }}
        when 'T1' then 100 when 'T2' then 98 when 'T3' then 99 when 'T4' then 100 when 'T5' then 95 when 'T6' then 93
        when 'T7' then 85 when 'T8' then 85 when 'T9' then 75 when 'T10' then 50 else 0
    end
{%- endmacro %}

{% macro time_confidence(alias, rule, precision) -%}
    greatest(
        least({{ rule_confidence(rule) }}, case when {{ precision }} = 'day' then 60 else 100 end)
        - case when {{ alias }}.reading in ('fold', 'gap') then 30 else 0 end,
        0
    )
{%- endmacro %}

{# Comma-separated flags, NULL when there is none. `more` is a list of SQL expressions that give a flag or NULL. #}
{% macro time_flags(alias, rule, precision, more=[]) -%}
    nullif(concat_ws(
        ',',
        case when {{ alias }}.reading in ('fold', 'gap') then {{ alias }}.reading end,
        case when {{ precision }} = 'day' then 'date_only' end,
        case when {{ rule }} in ('T9', 'T10') then 'assumed_zone' end
        {%- for flag in more %},
        {{ flag }}
        {%- endfor %}
    ), '')
{%- endmacro %}

{# T20: five minutes after business now; kept, but not used before its time. #}
{% macro future_flag(instant) -%}
    case when {{ instant }} > {{ as_of() }} + interval 5 minute then 'future' end
{%- endmacro %}

{# Business now, naive UTC, one value per pass; given as `2016-06-02 00:00:00` or with T and Z. #}
{% macro as_of() -%}
    cast('{{ (var("as_of") | string).replace("T", " ").replace("Z", "") }}' as timestamp)
{%- endmacro %}

{# UTC to local: join the period that holds at an instant, then add its offset. #}
{% macro join_utc_offset(alias, instant, zone) -%}
left join {{ ref('time_utc_offset') }} as {{ alias }}
    on {{ alias }}.zone = {{ zone }}
    and {{ instant }} >= {{ alias }}.utc_from
    and {{ instant }} < {{ alias }}.utc_until
{%- endmacro %}

{% macro local_of(alias, instant) -%}
    ({{ instant }} + to_seconds({{ alias }}.utc_offset_s))
{%- endmacro %}
