-- Grain: one tracked shipment of an order in scope. Delivered when, against the root order's first commit (rules R10, R17).
{{ config(schema='intermediate') }}

with shipments as (

    select * from {{ ref('int_shipment_clock') }}
    where has_tracking
        and is_in_scope

),

judged as (

    select
        shipment_key,
        root_order_key,
        site_code,
        customer_category,
        first_commit_date,
        delivery_deadline_utc,
        is_delivery_due,
        coalesce(delivered_utc <= {{ kpi_as_of() }}, false) as is_delivered,
        coalesce(delivered_utc < delivery_deadline_utc, false) as is_before_deadline,
        coalesce(delivered_utc_max <= delivery_deadline_utc, false) as is_end_before_deadline,
        coalesce(delivered_utc_min < delivery_deadline_utc, false) as is_start_before_deadline,
    from shipments

)

select
    shipment_key,
    root_order_key,
    site_code,
    customer_category,
    first_commit_date,
    delivery_deadline_utc,
    is_delivery_due,
    is_delivered,
    is_delivered and is_before_deadline as is_on_time,
    is_delivered and is_before_deadline and is_end_before_deadline as is_on_time_certain,
    is_delivered and (is_before_deadline or is_start_before_deadline) as is_on_time_possible,
from judged
