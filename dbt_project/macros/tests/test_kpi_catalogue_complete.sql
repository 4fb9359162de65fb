{# Fails with every KPI of the catalogue that has no total for the company. #}
{% test kpi_catalogue_complete(model, catalogue) %}
select catalogue.kpi_id
from {{ catalogue }} as catalogue
left join {{ model }} as cells
    on cells.kpi_id = catalogue.kpi_id
    and cells.period_kind = 'total'
    and cells.dimension = ''
where cells.kpi_id is null
{% endtest %}
