{#
  Text to naive time, by the rules T0, T1, T2, T13, T16, T17 (contracts/time/rules.yaml). Formats are fixed per source: a
  text in another format is NULL with precision `none`, never guessed (T19). A text with an offset must not be cast to
  TIMESTAMP as it stands: DuckDB drops the offset without a word.
#}

{# T0: texts that stand for "no time". #}
{% macro is_sentinel(raw) -%}
    (
        {{ raw }} is null
        or {{ raw }} in ('', '0', '00000000')
        or left({{ raw }}, 10) in ('1900-01-01', '9999-12-31', '0001-01-01')
        or replace(left({{ raw }}, 19), 'T', ' ') = '1970-01-01 00:00:00'
    )
{%- endmacro %}

{# What is left of a text without Z or a numeric offset. #}
{% macro without_offset(raw) -%}
    regexp_replace({{ raw }}, '\s*(Z|[+-]\d{2}:?\d{2})$', '')
{%- endmacro %}

{# Seconds east of UTC that the text itself states (T1, T2); NULL when it states none. #}
{% macro stated_offset_s(raw) -%}
    case
        when length({{ raw }}) <= 10 then null
        when right({{ raw }}, 1) = 'Z' then 0
        when regexp_matches({{ raw }}, '[+-]\d{2}:?\d{2}$')
            then (case when regexp_extract({{ raw }}, '([+-])\d{2}:?\d{2}$', 1) = '-' then -1 else 1 end)
                * (
                    3600 * cast(regexp_extract({{ raw }}, '[+-](\d{2}):?\d{2}$', 1) as integer)
                    + 60 * cast(regexp_extract({{ raw }}, '[+-]\d{2}:?(\d{2})$', 1) as integer)
                )
    end
{%- endmacro %}

{# Precision of an ISO-like text without offset: us, s, min, hour, day or none. #}
{% macro text_precision(local_text) -%}
    case
        when {{ is_sentinel(local_text) }} then 'none'
        when length({{ local_text }}) > 19 then 'us'
        when length({{ local_text }}) = 19 then 's'
        when length({{ local_text }}) = 16 then 'min'
        when length({{ local_text }}) = 13 then 'hour'
        when length({{ local_text }}) = 10 then 'day'
        else 'none'
    end
{%- endmacro %}

{# ISO-like text without offset to a naive time: 24:00 is the next midnight (T16), second 60 is :59.999999 (T17). #}
{% macro parse_local(local_text) -%}
    case
        when {{ is_sentinel(local_text) }} then null
        when substr({{ local_text }}, 12, 5) = '24:00'
            then try_cast(left({{ local_text }}, 10) as timestamp) + interval 1 day
        when substr({{ local_text }}, 18, 2) = '60'
            then try_cast(left({{ local_text }}, 17) || '59.999999' as timestamp)
        when length({{ local_text }}) = 16 then try_cast({{ local_text }} || ':00' as timestamp)
        when length({{ local_text }}) = 13 then try_cast({{ local_text }} || ':00:00' as timestamp)
        else try_cast({{ local_text }} as timestamp)
    end
{%- endmacro %}

{# T16 and T17 leave a flag. #}
{% macro is_normalized(local_text) -%}
    (substr({{ local_text }}, 12, 5) = '24:00' or substr({{ local_text }}, 18, 2) = '60')
{%- endmacro %}

{# T1: text that ends in Z to an instant; NULL for anything else. #}
{% macro utc_from_z(raw) -%}
    case when right({{ raw }}, 1) = 'Z' then {{ parse_local("rtrim(" ~ raw ~ ", 'Z')") }} end
{%- endmacro %}

{# T4: a number since 1970-01-01 UTC, in the unit its source declares (s, ms, us, ns); outside 2000-2100 it is refused. #}
{% macro utc_from_epoch(number, unit) -%}
    {%- set per_second = {'s': 1, 'ms': 1000, 'us': 1000000, 'ns': 1000000000}[unit] -%}
    case
        when {{ number }} >= 946684800 * {{ per_second }} and {{ number }} < 4102444800 * {{ per_second }}
            then make_timestamp(cast({{ number }} * 1000000 // {{ per_second }} as bigint))
    end
{%- endmacro %}

{# T18: two-digit year by pivot; the default keeps 20 years ahead and 79 behind `today_year`. #}
{% macro four_digit_year(yy, today_year, ahead=20) -%}
    ({{ yy }} + 100 * floor(({{ today_year }} + {{ ahead }} - {{ yy }}) / 100.0))
{%- endmacro %}
