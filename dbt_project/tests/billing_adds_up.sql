-- billing vector: shipped = invoiced + billable_open + not_billable; more invoiced than shipped breaks it
{{ config(tags=['identity'], severity='warn') }}
with shipped as (
    select order_line_key, sum(shipped_qty) as shipped_qty
    from {{ ref('can_shipment_line') }}
    where not is_void
    group by all
),

invoiced as (
    select order_line_key, sum(invoiced_qty) as invoiced_qty
    from {{ ref('can_invoice_line') }}
    where order_line_key is not null
    group by all
)

select invoiced.order_line_key, invoiced.invoiced_qty, shipped.shipped_qty,
from invoiced
left join shipped using (order_line_key)
where invoiced.invoiced_qty > coalesce(shipped.shipped_qty, 0)
