-- Grain: one shipment, voided ones included and marked. Seconds are calendar time between exact instants, null otherwise.
with shipments as (

    select * from {{ ref('can_shipment') }}

),

orders as (

    select * from {{ ref('can_sales_order') }}

),

deliveries as (

    select * from {{ ref('int_delivery') }}

),

clocks as (

    select
        shipment_key,
        {%- for latency in ['order_to_ship', 'ship_to_delivery', 'order_to_delivery', 'ship_to_invoice'] %}
        max(case when latency = '{{ latency }}' then latency_s end) as {{ latency }}_s,
        {%- endfor %}
    from {{ ref('int_latency') }}
    group by shipment_key

)

select
    shipments.shipment_key,
    shipments.order_key,
    shipments.root_order_key,
    shipments.shipment_number,
    orders.order_number,
    orders.oms_order_number,
    coalesce(shipments.site_key, 'unknown') as site_key,
    coalesce(orders.ship_to_party_key, 'unknown') as customer_key,
    shipments.carrier,
    shipments.service,
    shipments.tracking_number,
    shipments.has_tracking,
    shipments.is_void,
    shipments.shipped_date,
    shipments.shipped_utc,
    shipments.shipped_utc_min,
    shipments.shipped_utc_max,
    shipments.shipped_precision,
    shipments.shipped_flags,
    shipments.delivered_date,
    shipments.delivered_utc,
    shipments.delivered_utc_min,
    shipments.delivered_utc_max,
    shipments.delivered_precision,
    shipments.delivered_flags,
    orders.first_commit_date,
    deliveries.delivery_deadline_utc,
    coalesce(deliveries.is_delivery_due, false) as is_delivery_measured,
    case
        when not coalesce(deliveries.is_delivery_due, false) then null
        when not deliveries.is_delivered then 'open'
        when deliveries.is_on_time_possible and not deliveries.is_on_time_certain then 'indeterminate'
        when deliveries.is_on_time then 'on_time'
        else 'late'
    end as delivery_status,
    clocks.order_to_ship_s,
    clocks.ship_to_delivery_s,
    clocks.order_to_delivery_s,
    clocks.ship_to_invoice_s,
    {{ kpi_as_of() }} as as_of_utc,
from shipments
left join orders
    on orders.order_key = shipments.order_key
left join deliveries
    on deliveries.shipment_key = shipments.shipment_key
left join clocks
    on clocks.shipment_key = shipments.shipment_key
