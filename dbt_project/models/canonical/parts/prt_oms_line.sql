-- grain: one OMS order line with its canonical key; matched to the ERP root line that quotes its line number
{{ config(unique_key=['source_system', 'oms_order_number', 'line_number']) }}
with erp_lines as (
    select
        chain.root_order_key as order_key,
        cast(lines.oms_line_no as varchar) as line_number,
        min(line_chain.order_line_key) as order_line_key,
    from {{ ref('stg_erp__sales_order_lines') }} as lines
    inner join {{ ref('prt_erp_order_chain') }} as chain using (source_system, order_id)
    inner join {{ ref('prt_erp_line_chain') }} as line_chain using (source_system, order_line_id)
    where lines.oms_line_no is not null
        and lines.parent_order_line_id is null
        and lines.substitute_for_line_id is null
    group by all
)

select
    lines.*,
    orders.order_key,
    coalesce(
        erp_lines.order_line_key, lines.key_prefix || lines.oms_order_number || '/' || lines.line_number
    ) as order_line_key,
    erp_lines.order_line_key is not null as is_in_erp,
from {{ ref('stg_oms__order_line') }} as lines
inner join {{ ref('prt_oms_order') }} as orders using (source_system, oms_order_number)
left join erp_lines
    on erp_lines.order_key = orders.order_key
    and erp_lines.line_number = lines.line_number
