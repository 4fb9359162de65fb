{#
  A table written as cheaply as it can be. Two ways, both of which recompute every row:

  - replaced in one statement. The adapter's own way (build beside, rename away, rename here, drop, and ask the catalog
    about indexes and foreign keys in between) costs more than most of our models; nothing here has either.
  - merged, with `unique_key` and an enforced contract: only rows that differ are written. Compressing and writing half a
    million events again is most of what a pass would do, to change a few hundred.

  A table remembers the contract it was made for in its comment; another contract replaces it.
#}
{% materialization table, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing is not none and not existing.is_table -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- if can_merge(existing) -%}
        {% call statement('main') -%}
            {{ get_assert_columns_equivalent(sql) }}
            {{ merge_rows(target_relation, sql) }}
        {%- endcall %}
        {#- A key that comes twice would be merged into one row and never be seen by the test of the key. -#}
        {%- set counted = run_query('select (select count(*) from ' ~ target_relation ~ ') = (select count(*) from (' ~ sql ~ '\n))') -%}
        {%- set merged = counted.columns[0].values()[0] -%}
    {%- endif -%}
    {%- if not merged -%}
        {% call statement('main') -%}
            {{ replace_table(target_relation, sql) }}
        {%- endcall %}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro replace_table(relation, sql) -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
        create or replace table {{ relation }} {{ get_table_columns_and_constraints() }};
        insert into {{ relation }} {{ get_column_names() }} (
            {{ get_select_subquery(sql) }}
        );
        comment on table {{ relation }} is '{{ model.contract.checksum }}';
    {%- else -%}
        create or replace table {{ relation }} as (
            {{ sql }}
        );
    {%- endif -%}
{%- endmacro %}

{# Rows that differ are updated, new ones inserted, and what the query no longer has is deleted. #}
{% macro merge_rows(relation, sql) -%}
    {%- set key = config.get('unique_key') -%}
    {%- set others = model['columns'].keys() | reject('in', key) | list -%}
    merge into {{ relation }} as old
    using (
        {{ sql }}
    ) as new
    on {% for column in key %}old.{{ column }} = new.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    when matched and (
        {%- for column in others %}
        old.{{ column }} is distinct from new.{{ column }}{{ ' or' if not loop.last }}
        {%- endfor %}
    ) then update set {% for column in others %}{{ column }} = new.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
    when not matched then insert by name
    when not matched by source then delete
{%- endmacro %}

{% macro can_merge(existing) -%}
    {%- if existing is none or not existing.is_table or not config.get('unique_key') or not config.get('contract').enforced -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(comment_of(existing, 'table') == model.contract.checksum) }}
{%- endmacro %}
