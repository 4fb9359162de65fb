{# Fails with every row that lacks one of the columns; for views, which enforce no constraints. #}
{% test columns_are_filled(model, columns) %}
select {{ columns | join(', ') }},
from {{ model }}
where {% for column in columns %}{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
