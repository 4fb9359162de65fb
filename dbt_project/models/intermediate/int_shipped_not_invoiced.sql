-- Grain: one order line (of any order of a chain) that shipped. Shipped, invoiced and open to bill as of now, in base units.
{{ config(schema='intermediate') }}

with shipment_lines as (

    select * from {{ ref('can_shipment_line') }}
    where not is_void
        and shipped_utc <= {{ kpi_as_of() }}

),

order_lines as (

    select * from {{ ref('can_order_line') }}

),

root_orders as (

    select * from {{ ref('int_root_order') }}
    where is_in_scope

),

posted as (

    select * from {{ ref('int_margin') }}
    where line_kind = 'invoice'

),

shipped as (

    select
        order_line_key,
        sum(shipped_qty) as shipped_qty,
        min(shipped_utc) as first_shipped_utc,
    from shipment_lines
    group by order_line_key

),

invoiced as (

    select
        order_line_key,
        sum(qty) as invoiced_qty,
    from posted
    where order_line_key is not null
    group by order_line_key

),

compared as (

    select
        shipped.order_line_key,
        order_lines.order_key,
        order_lines.root_order_key,
        order_lines.item_key,
        order_lines.item_group,
        root_orders.site_code,
        root_orders.customer_category,
        order_lines.unit_price,
        shipped.first_shipped_utc,
        cast(shipped.shipped_qty as decimal(18, 4)) as shipped_qty,
        cast(coalesce(invoiced.invoiced_qty, 0) as decimal(18, 4)) as invoiced_qty,
        cast(greatest(shipped.shipped_qty - coalesce(invoiced.invoiced_qty, 0), 0) as decimal(18, 4)) as open_qty,
    from shipped
    inner join order_lines
        on order_lines.order_line_key = shipped.order_line_key
    inner join root_orders
        on root_orders.root_order_key = order_lines.root_order_key
    left join invoiced
        on invoiced.order_line_key = shipped.order_line_key

)

select
    order_line_key,
    order_key,
    root_order_key,
    item_key,
    item_group,
    site_code,
    customer_category,
    unit_price,
    first_shipped_utc,
    shipped_qty,
    invoiced_qty,
    open_qty,
    open_qty * coalesce(unit_price, 0) as open_amt,
from compared
