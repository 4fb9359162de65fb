-- grain: one ERP order line, with the first line of its chain of remainders
with recursive lines as (
    select
        source_system,
        key_prefix,
        order_line_id,
        parent_order_line_id,
    from {{ ref('stg_erp__sales_order_lines') }}
),

remainders as (
    select * from lines
    where parent_order_line_id is not null
),

chain as (
    select
        remainders.source_system,
        remainders.order_line_id,
        remainders.parent_order_line_id as root_id,
        1 as depth,
    from remainders
    where
        not exists (
            select 1 from remainders as parent
            where parent.source_system = remainders.source_system
                and parent.order_line_id = remainders.parent_order_line_id
        )
    union all
    select
        remainders.source_system,
        remainders.order_line_id,
        chain.root_id,
        chain.depth + 1 as depth,
    from remainders
    inner join chain
        on chain.source_system = remainders.source_system
        and chain.order_line_id = remainders.parent_order_line_id
    where chain.depth < 100
)

select
    lines.source_system,
    lines.order_line_id,
    lines.key_prefix || lines.order_line_id as order_line_key,
    lines.key_prefix || coalesce(chain.root_id, lines.order_line_id) as root_order_line_key,
from lines
left join chain using (source_system, order_line_id)
