{#
    Business now as a naive UTC timestamp, from the variable `as_of` ("2016-06-02T07:00:00Z" or "2016-06-02 07:00:00").
    Only UTC is taken: a cast of text drops an offset silently, so one stops the run. Other nonsense fails in the cast.
#}
{% macro kpi_as_of() -%}
    {%- set text = (var('as_of') | string).replace('T', ' ').replace('Z', '') -%}
    {%- if '+' in text or '-' in text[10:] -%}
        {{ exceptions.raise_compiler_error("variable as_of must be an instant in UTC such as 2016-06-02T07:00:00Z, not '" ~ var('as_of') ~ "'") }}
    {%- endif -%}
    cast('{{ text }}' as timestamp)
{%- endmacro %}
