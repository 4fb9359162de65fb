-- quantity vector of an order line: shipped stays within released; what goes beyond is over-shipment, reported apart
{{ config(tags=['identity'], severity='warn') }}
with released as (
    select order_line_key, sum(released_qty) as released_qty from {{ ref('can_release') }} group by all
),

shipped as (
    select order_line_key, sum(shipped_qty) as shipped_qty
    from {{ ref('can_shipment_line') }}
    where not is_void
    group by all
)

select line.order_line_key, released.released_qty, shipped.shipped_qty,
from {{ ref('can_order_line') }} as line
inner join shipped using (order_line_key)
left join released using (order_line_key)
where shipped.shipped_qty < 0 or shipped.shipped_qty > coalesce(released.released_qty, 0)
