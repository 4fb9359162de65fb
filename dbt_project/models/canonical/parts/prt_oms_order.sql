-- grain: one OMS order with the key it has in the canonical model: its ERP order's once the ERP has it, else its own
-- match: the ERP root order quotes the OMS number (explicit id); of several ERPs the first connected one speaks
{{ config(unique_key=['source_system', 'oms_order_number']) }}
with roots as (
    select
        orders.oms_order_number,
        orders.system_rank,
        chain.order_key,
    from {{ ref('stg_erp__sales_orders') }} as orders
    inner join {{ ref('prt_erp_order_chain') }} as chain using (source_system, order_id)
    where orders.oms_order_number is not null and chain.chain_depth = 0
    qualify
        row_number() over (
            partition by orders.oms_order_number order by orders.system_rank, orders.order_id
        ) = 1
)

select
    oms.*,
    coalesce(roots.order_key, oms.key_prefix || oms.oms_order_number) as order_key,
    roots.order_key is not null as is_in_erp,
    {{ utc_from_z('oms.created_at_raw') }} as created_utc,
    {{ utc_from_z('oms.updated_at_raw') }} as updated_utc,
from {{ ref('stg_oms__order') }} as oms
left join roots using (oms_order_number)
qualify
    row_number() over (
        partition by coalesce(roots.order_key, oms.key_prefix || oms.oms_order_number) order by oms.system_rank
    ) = 1
