-- Grain: one reason. Root order lines that leave the fill measures, beside the number that stays (rule R4).
with lines as (

    select
        coalesce(exclusion_reason, 'measured') as reason,
        case when exclusion_reason is null and coalesce(unit_price, 0) = 0 then 1 end as is_without_price,
        ordered_original_qty,
        has_unknown_initiator,
    from {{ ref('int_fill_line') }}

),

reasons as (

    select reason
    from (
        values
        ('measured'), ('not_goods'), ('substitute'), ('out_of_scope'), ('zero_or_negative'), ('cancelled_by_customer'), ('not_due')
    ) as listed (reason) -- noqa: AL05

)

select
    reasons.reason,
    count(lines.reason) as line_count,
    -- measured, but without a price: these lines leave the value measure only
    count(lines.is_without_price) as lines_without_price,
    count(case when lines.has_unknown_initiator then 1 end) as lines_with_unknown_initiator,
    cast(coalesce(sum(lines.ordered_original_qty), 0) as decimal(38, 4)) as ordered_original_qty,
    {{ kpi_as_of() }} as as_of_utc,
from reasons
left join lines
    on lines.reason = reasons.reason
group by reasons.reason
