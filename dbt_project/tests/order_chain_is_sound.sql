-- a root has depth 0 and is its own root; a child stands one below its parent, under the same root
select child.order_key, child.chain_depth, parent.chain_depth as parent_depth,
from {{ ref('can_sales_order') }} as child
left join {{ ref('can_sales_order') }} as parent on parent.order_key = child.parent_order_key
where (child.parent_order_key is null) <> (child.chain_depth = 0)
    or (child.chain_depth = 0 and child.root_order_key <> child.order_key)
    or (child.chain_depth > 0 and (
        parent.order_key is null or parent.chain_depth + 1 <> child.chain_depth
        or parent.root_order_key <> child.root_order_key
    ))
