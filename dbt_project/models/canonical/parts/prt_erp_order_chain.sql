-- grain: one ERP order, with its place in the chain of backorders (the original points to its backorder)
with recursive orders as (
    select
        source_system,
        key_prefix,
        order_id,
        backorder_order_id,
    from {{ ref('stg_erp__sales_orders') }}
),

links as (
    select
        original.source_system,
        min(original.order_id) as parent_id,
        original.backorder_order_id as order_id,
    from orders as original
    where original.backorder_order_id is not null
    group by all
),

chain as (
    select
        orders.source_system,
        orders.order_id,
        cast(null as bigint) as parent_id,
        orders.order_id as root_id,
        0 as depth,
    from orders
    left join links using (source_system, order_id)
    where links.parent_id is null
    union all
    select
        links.source_system,
        links.order_id,
        links.parent_id,
        chain.root_id,
        chain.depth + 1 as depth,
    from links
    inner join chain on chain.source_system = links.source_system and chain.order_id = links.parent_id
    where chain.depth < 100
)

select
    orders.source_system,
    orders.order_id,
    orders.key_prefix || orders.order_id as order_key,
    case when chain.parent_id is not null then orders.key_prefix || chain.parent_id end as parent_order_key,
    orders.key_prefix || coalesce(chain.root_id, orders.order_id) as root_order_key,
    coalesce(chain.depth, 0) as chain_depth,
from orders
left join chain using (source_system, order_id)
