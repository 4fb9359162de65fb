{#
    Business now as a naive UTC timestamp, from the variable `as_of` ("2016-06-02T07:00:00Z" or "2016-06-02 07:00:00").
    Only UTC is taken: a cast of text drops an offset silently, so any other form stops the run.
#}
{% macro kpi_as_of() -%}
    {%- set text = (var('as_of') | string).strip().replace('T', ' ') -%}
    {%- set text = text[:-6] if text.endswith('+00:00') else text.rstrip('Z') -%}
    {%- if not modules.re.fullmatch('\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,6})?)?', text) -%}
        {{ exceptions.raise_compiler_error("variable as_of must be an instant in UTC such as 2016-06-02T07:00:00Z, not '" ~ var('as_of') ~ "'") }}
    {%- endif -%}
    cast('{{ text }}' as timestamp)
{%- endmacro %}
