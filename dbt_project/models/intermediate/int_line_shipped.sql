-- Grain: one root order line with at least one shipment line. Shipped quantity by variant, over the whole backorder chain.
{{ config(schema='intermediate') }}

with shipment_lines as (

    select * from {{ ref('can_shipment_line') }}
    where not is_void
        and shipped_utc <= {{ kpi_as_of() }}

),

root_orders as (

    select * from {{ ref('int_root_order') }}

),

-- rule R17: certain only if the whole interval [min, max) lies before the deadline, possible if any of it does
judged as (

    select
        shipment_lines.root_order_line_key,
        shipment_lines.shipped_qty,
        shipment_lines.shipped_utc,
        shipment_lines.release_event_key = root_orders.first_release_event_key as is_first_event,
        shipment_lines.shipped_utc < root_orders.commit_deadline_utc as is_before_deadline,
        coalesce(shipment_lines.shipped_utc_max, shipment_lines.shipped_utc) <= root_orders.commit_deadline_utc as is_end_before_deadline,
        coalesce(shipment_lines.shipped_utc_min, shipment_lines.shipped_utc) < root_orders.commit_deadline_utc as is_start_before_deadline,
    from shipment_lines
    inner join root_orders
        on root_orders.root_order_key = shipment_lines.root_order_key

)

select
    root_order_line_key,
    sum(case when is_first_event then shipped_qty else 0 end) as first_event_qty,
    sum(case when is_before_deadline then shipped_qty else 0 end) as first_pass_qty,
    sum(case when is_before_deadline and is_end_before_deadline then shipped_qty else 0 end) as first_pass_certain_qty,
    sum(case when is_before_deadline or is_start_before_deadline then shipped_qty else 0 end) as first_pass_possible_qty,
    sum(shipped_qty) as to_date_qty,
    max(shipped_utc) as last_shipped_utc,
from judged
group by root_order_line_key
