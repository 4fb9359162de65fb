-- quantity vector of an order line: ordered first + the OMS's own changes = what the OMS says is ordered now
{{ config(tags=['identity']) }}
with changed as (
    select order_line_key, sum(qty_delta) as qty_delta
    from {{ ref('can_line_change') }}
    where source_system in (select source_system from {{ ref('stg_oms__order') }})
        and change_kind in ('quantity', 'cancel')
    group by all
)

select line.order_line_key, line.ordered_original_qty, changed.qty_delta, oms.current_qty,
from {{ ref('prt_oms_line') }} as oms
inner join {{ ref('can_order_line') }} as line using (order_line_key)
left join changed using (order_line_key)
where line.ordered_original_qty + coalesce(changed.qty_delta, 0) <> oms.current_qty
