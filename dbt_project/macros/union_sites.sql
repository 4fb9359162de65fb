{# The sites that warehouse systems declare in their YAML; without one, an empty relation of the same types. #}
{% macro union_sites() -%}
    {%- set sites = [] -%}
    {%- for entry in systems_of('wms') -%}
        {%- for code, zone in (entry.get('zones') or {}).items() -%}
            {%- do sites.append([code, zone, entry]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for code, zone, entry in sites %}
    {%- set erp = quoted_erp(entry, 'wms') %}
select
    {{ sql_text(code) }} as site_code,
    {{ sql_text(zone) }} as zone,
    {{ sql_text(entry['system']) }} as source_system,
    {{ sql_text(key_prefix(entry)) }} as key_prefix,
    {{ sql_text(erp['system']) }} as erp_system,
    {{ sql_text(key_prefix(erp)) }} as erp_prefix,
    cast(null as bigint) as source_batch_id,
    cast(null as timestamp) as known_from_utc,
    {%- if not loop.last %}
union all
    {%- endif -%}
    {%- else %}
select
    cast(null as varchar) as site_code,
    cast(null as varchar) as zone,
    cast(null as varchar) as source_system,
    cast(null as varchar) as key_prefix,
    cast(null as varchar) as erp_system,
    cast(null as varchar) as erp_prefix,
    cast(null as bigint) as source_batch_id,
    cast(null as timestamp) as known_from_utc,
where false
    {%- endfor %}
{%- endmacro %}
