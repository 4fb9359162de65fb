{#
  Fails with everything in which a canonical table breaks its contract: a key that occurs twice, a reference to a row that
  does not exist (NULL is no reference), a value outside its closed list, an empty column of a view (a table has
  constraints). One query for all of them: a test of its own for each costs more than what it asks.

  key and filled are lists of columns; parents a list of {column, key}, models the referenced models in the same order;
  lists maps a column to its values.
#}
{% test contract_holds(model, key, parents=[], models=[], lists={}, filled=[]) %}
select
    'key is not unique: {{ key | join(', ') }}' as fault,
    concat_ws('|', {% for column in key %}cast({{ column }} as varchar){{ ', ' if not loop.last }}{% endfor %}) as found,
    count(*) as row_count,
from {{ model }}
group by {{ key | join(', ') }}
having count(*) > 1
{%- for parent in parents %}
union all
select 'reference to nothing: {{ parent['column'] }}', cast(child.{{ parent['column'] }} as varchar), count(*),
from {{ model }} as child
anti join {{ models[loop.index0] }} as parent on parent.{{ parent['key'] }} = child.{{ parent['column'] }}
where child.{{ parent['column'] }} is not null
group by child.{{ parent['column'] }}
{%- endfor %}
{%- for column, allowed in lists.items() %}
union all
select 'not in the list: {{ column }}', cast({{ column }} as varchar), count(*),
from {{ model }}
where {{ column }} not in ({% for value in allowed %}'{{ value }}'{{ ', ' if not loop.last }}{% endfor %})
group by {{ column }}
{%- endfor %}
{%- for column in filled %}
union all
select 'empty: {{ column }}', null, count(*),
from {{ model }}
where {{ column }} is null
having count(*) > 0
{%- endfor %}
{% endtest %}
