{#
    Fails with cells of fill in which the first event or the first pass counts more than the total to date: what shipped
    in time has shipped. All variants share one denominator.
#}
{% test kpi_variants_nest(model) %}
with fill as (

    select
        replace(replace(replace(kpi_id, '_first_event_strict', ''), '_first_pass_strict', ''), '_to_date_strict', '') as basis,
        kpi_id like '%_to_date_strict' as is_widest,
        kpi_id,
        period,
        dimension,
        dimension_value,
        numerator,
        denominator
    from {{ model }}
    where kpi_id like 'fill_rate_%'

)

select
    narrow.kpi_id,
    narrow.period,
    narrow.dimension,
    narrow.dimension_value,
    narrow.numerator,
    wide.numerator as numerator_to_date
from fill as narrow
left join fill as wide
    on wide.is_widest
    and wide.basis = narrow.basis
    and wide.period = narrow.period
    and wide.dimension = narrow.dimension
    and wide.dimension_value = narrow.dimension_value
where wide.denominator is null
    or narrow.denominator <> wide.denominator
    or narrow.numerator > wide.numerator
{% endtest %}
