{#
  Connected systems come from the var `systems` (role -> list, in order of precedence), which orchestration generates
  from the system YAMLs. A staging model is a union over the systems of its role that have the stream; with none it is
  an empty relation of the same types, so everything after it builds.

  Every staging row carries: source_system, source_role, key_prefix ('<legal entity>|<system>|'), source_zone (of naive
  times, null when declared elsewhere), erp_system and erp_prefix (the ERP whose numbers the system quotes), system_rank.
#}
{# What stands before every source key of a system: '<legal entity>|<system>|'. #}
{% macro key_prefix(entry) -%}
    {{ entry.get('legal_entity') or '1' }}|{{ entry['system'] }}|
{%- endmacro %}

{% macro sql_text(value) -%}
    {%- if value is none or value == '' -%}cast(null as varchar)
    {%- else -%}'{{ value | replace("'", "''") }}'
    {%- endif -%}
{%- endmacro %}

{#
  columns: list of [name in the source, type] or [name in the source, type, name here].
  source(role, stream) is called for lineage only: the sources are declared by role.
#}
{% macro union_systems(role, stream, columns) -%}
    {%- do source(role, stream) -%}
    {%- set landed = [] -%}
    {%- for entry in systems_of(role) if stream in entry.get('streams', []) and has_landed(entry['system'], stream) -%}
        {%- do landed.append(entry) -%}
    {%- endfor -%}
    {%- for entry in landed %}
    {%- set erp = quoted_erp(entry, role) %}
select
    {%- for column in columns %}
    cast({{ adapter.quote(column[0]) }} as {{ column[1] }}) as {{ column[2] or column[0] }},
    {%- endfor %}
    {{ sql_text(entry['system']) }} as source_system,
    '{{ role }}' as source_role,
    {{ sql_text(key_prefix(entry)) }} as key_prefix,
    {{ sql_text(entry.get('zone')) }} as source_zone,
    {{ sql_text(erp['system']) }} as erp_system,
    {{ sql_text(key_prefix(erp)) }} as erp_prefix,
    {{ systems_of(role).index(entry) + 1 }} as system_rank,
    cast({{ adapter.quote('_batch_id') }} as bigint) as source_batch_id,
    cast({{ adapter.quote('_commit_ts') }} as timestamp) as known_from_utc,
from {{ adapter.quote(target.database) }}.{{ adapter.quote('raw_' ~ entry['system']) }}.{{ adapter.quote(stream) }}
    {%- if not loop.last %}
union all by name
    {%- endif -%}
    {%- else %}
select
    {%- for column in columns %}
    cast(null as {{ column[1] }}) as {{ column[2] or column[0] }},
    {%- endfor %}
    cast(null as varchar) as source_system,
    '{{ role }}' as source_role,
    cast(null as varchar) as key_prefix,
    cast(null as varchar) as source_zone,
    cast(null as varchar) as erp_system,
    cast(null as varchar) as erp_prefix,
    cast(null as integer) as system_rank,
    cast(null as bigint) as source_batch_id,
    cast(null as timestamp) as known_from_utc,
where false
    {%- endfor %}
{%- endmacro %}

{# Columns every document stream has. #}
{% macro union_documents(role, stream) -%}
    {{ union_systems(role, stream, [['doc_key', 'varchar'], ['doc', 'varchar'], ['updated_at_raw', 'varchar']]) }}
{%- endmacro %}

{# The provenance columns that end every canonical row. #}
{% macro provenance(alias, source_key, is_inferred='false') -%}
    {{ alias }}.source_system,
    cast({{ source_key }} as varchar) as source_key,
    {{ alias }}.source_batch_id,
    {{ alias }}.known_from_utc,
    {{ is_inferred }} as is_inferred,
    '1.0.0' as contract_version,
{%- endmacro %}
