-- Grain: one root order line, with the lines of its backorder chain rolled up (rule R6). Measures are additive; rates are not stored.
with lines as (

    select * from {{ ref('int_fill_line') }}

),

orders as (

    select * from {{ ref('can_sales_order') }}

),

order_lines as (

    select * from {{ ref('can_order_line') }}

)

select
    lines.root_order_line_key as order_line_key,
    lines.root_order_key as order_key,
    orders.order_number,
    orders.oms_order_number,
    order_lines.line_number,
    coalesce(orders.site_key, 'unknown') as site_key,
    coalesce(orders.ship_to_party_key, 'unknown') as customer_key,
    coalesce(orders.channel_key, 'unknown') as channel_key,
    coalesce(lines.item_key, 'unknown') as item_key,
    orders.order_received_utc,
    orders.order_received_date,
    lines.first_commit_date,
    orders.current_commit_date,
    orders.commit_deadline_utc,
    lines.last_shipped_utc,
    lines.is_measured,
    lines.exclusion_reason,
    lines.has_backorder,
    lines.has_unknown_initiator,
    order_lines.uom,
    lines.unit_price,
    lines.ordered_original_qty,
    lines.customer_change_qty,
    lines.seller_change_qty,
    lines.effective_qty,
    lines.first_event_qty as shipped_first_event_qty,
    lines.first_pass_qty as shipped_first_pass_qty,
    lines.to_date_qty as shipped_to_date_qty,
    lines.filled_first_event_qty,
    lines.filled_first_pass_qty,
    lines.filled_to_date_qty,
    lines.over_shipped_qty,
    lines.is_complete_first_event,
    lines.is_complete_first_pass,
    lines.is_complete_to_date,
    cast(lines.effective_qty * coalesce(lines.unit_price, 0) as decimal(38, 6)) as ordered_amt,
    cast(lines.filled_to_date_qty * coalesce(lines.unit_price, 0) as decimal(38, 6)) as filled_to_date_amt,
    {{ kpi_as_of() }} as as_of_utc,
from lines
inner join order_lines
    on order_lines.order_line_key = lines.root_order_line_key
left join orders
    on orders.order_key = lines.root_order_key
