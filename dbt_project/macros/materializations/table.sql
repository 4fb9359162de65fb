{#
  A table written as cheaply as it can be. Two ways, both of which recompute every row:

  - replaced in one statement. The adapter's own way (build beside, rename away, rename here, drop, and ask the catalog
    about indexes and foreign keys in between) costs more than most of our models; nothing here has either.
  - merged, with `unique_key`: only rows that differ are written. To compress and write half a million events again, or
    to log every row of a smaller table and write it once more at the checkpoint, is most of what a pass would do to
    change a few hundred.

  A merged table remembers its form, the contract or the columns it was made with, in its comment; another form
  replaces it.
#}
{% materialization table, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if existing is not none and not existing.is_table -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- set form = form_of(sql) -%}
    {%- if existing is not none and existing.is_table and form.digest and comment_of(existing, 'table') == form.digest -%}
        {% call statement('main') -%}
            {%- if config.get('contract').enforced -%}
                {{ get_assert_columns_equivalent(sql) }}
            {%- endif %}
            {{ merge_rows(target_relation, sql, form.columns) }}
        {%- endcall %}
        {%- set merged = run_query(is_merged(target_relation, sql)).columns[0].values()[0] -%}
    {%- endif -%}
    {%- if not merged -%}
        {% call statement('main') -%}
            {{ replace_table(target_relation, sql) }}
            {%- if form.digest %}
                comment on table {{ target_relation }} is '{{ form.digest }}';
            {%- endif %}
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
    {%- else -%}
        create or replace table {{ relation }} as (
            {{ sql }}
        );
    {%- endif -%}
{%- endmacro %}

{# Rows that differ are updated, new ones inserted, and what the query no longer has is deleted. #}
{% macro merge_rows(relation, sql, columns) -%}
    {%- set key = config.get('unique_key') -%}
    {%- set others = columns | reject('in', key) | list -%}
    merge into {{ relation }} as old
    using (
        {{ sql }}
    ) as new
    on {% for column in key %}old.{{ adapter.quote(column) }} = new.{{ adapter.quote(column) }}{{ ' and ' if not loop.last }}{% endfor %}
    when matched and (
        {%- for column in others %}
        old.{{ adapter.quote(column) }} is distinct from new.{{ adapter.quote(column) }}{{ ' or' if not loop.last }}
        {%- endfor %}
    ) then update set {% for column in others %}{{ adapter.quote(column) }} = new.{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor %}
    when not matched then insert by name
    when not matched by source then delete
{%- endmacro %}

{#
  A key that comes twice is merged into one row, or both of its rows take the values of one: then the counts differ, or the
  key is there twice. Where a contract is enforced, a test of the key asks the second.
#}
{% macro is_merged(relation, sql) -%}
    {%- set key = config.get('unique_key') -%}
    select (select count(*) from {{ relation }}) = (select count(*) from (
        {{ sql }}
    ))
    {%- if not config.get('contract').enforced %}
    and (select count(*) = count(distinct row({% for column in key %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor %})) from {{ relation }})
    {%- endif %}
{%- endmacro %}

{# The columns of a table that is to be merged, and a digest of them with their types; none for one that is replaced. #}
{% macro form_of(sql) -%}
    {%- if not config.get('unique_key') -%}
        {{ return({'digest': none}) }}
    {%- elif config.get('contract').enforced -%}
        {{ return({'digest': model.contract.checksum, 'columns': model['columns'].keys() | list}) }}
    {%- endif -%}
    {%- set described = run_query('describe (' ~ sql ~ '\n)').columns -%}
    {%- set names = described['column_name'].values() | list -%}
    {{ return({'digest': local_md5(names ~ described['column_type'].values()), 'columns': names}) }}
{%- endmacro %}
