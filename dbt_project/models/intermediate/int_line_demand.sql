-- Grain: one root order line. What the customer is owed: rules R1 (ordered quantity) and R2 (cancellation).
{{ config(schema='intermediate') }}

with lines as (

    select * from {{ ref('can_order_line') }}

),

root_orders as (

    select * from {{ ref('int_root_order') }}

),

changes as (

    select * from {{ ref('can_line_change') }}
    where change_kind in ('quantity', 'cancel')

),

root_lines as (

    select
        lines.order_line_key as root_order_line_key,
        lines.root_order_key,
        lines.ordered_original_qty,
        root_orders.commit_deadline_utc,
    from lines
    left join root_orders
        on root_orders.root_order_key = lines.root_order_key
    where lines.root_order_line_key = lines.order_line_key

),

-- only the customer, and only before the cut-off, changes what was asked for; an unknown initiator counts as the seller
line_changes as (

    select
        changes.root_order_line_key,
        sum(
            case
                when changes.initiator = 'customer' and changes.changed_utc < root_lines.commit_deadline_utc
                    then changes.qty_delta
                else 0
            end
        ) as customer_change_qty,
        sum(case when changes.initiator = 'customer' then 0 else changes.qty_delta end) as seller_change_qty,
        max(case when changes.initiator = 'unknown' then 1 else 0 end) = 1 as has_unknown_initiator,
    from changes
    inner join root_lines
        on root_lines.root_order_line_key = changes.root_order_line_key
    group by changes.root_order_line_key

)

select
    root_lines.root_order_line_key,
    root_lines.ordered_original_qty,
    cast(coalesce(line_changes.customer_change_qty, 0) as decimal(18, 4)) as customer_change_qty,
    cast(coalesce(line_changes.seller_change_qty, 0) as decimal(18, 4)) as seller_change_qty,
    coalesce(line_changes.has_unknown_initiator, false) as has_unknown_initiator,
    cast(greatest(root_lines.ordered_original_qty + coalesce(line_changes.customer_change_qty, 0), 0) as decimal(18, 4)) as effective_qty,
from root_lines
left join line_changes
    on line_changes.root_order_line_key = root_lines.root_order_line_key
