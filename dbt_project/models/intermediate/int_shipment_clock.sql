-- Grain: one shipment that was not voided. Every instant its clocks need, with bounds, and the day that ends each clock.
{{ config(materialized='table', unique_key=['shipment_key'], schema='intermediate') }}

with shipments as (

    select * from {{ ref('can_shipment') }}
    where not is_void

),

root_orders as (

    select * from {{ ref('int_root_order') }}

),

invoices as (

    select * from {{ ref('can_invoice') }}
    where not is_credit
        and shipment_key is not null

),

ranked_invoices as (

    select
        shipment_key,
        posting_date,
        created_utc,
        created_utc_min,
        created_utc_max,
        row_number() over (partition by shipment_key order by created_utc asc nulls last, invoice_key asc) as invoice_rank,
    from invoices

)

select
    shipments.shipment_key,
    shipments.order_key,
    shipments.root_order_key,
    shipments.shipment_number,
    shipments.site_code,
    shipments.customer_category,
    shipments.carrier,
    shipments.service,
    shipments.tracking_number,
    shipments.has_tracking,
    coalesce(root_orders.is_in_scope, false) as is_in_scope,
    coalesce(root_orders.is_delivery_due, false) as is_delivery_due,
    root_orders.first_commit_date,
    root_orders.delivery_deadline_utc,
    root_orders.order_received_utc as received_utc,
    coalesce(root_orders.order_received_utc_min, root_orders.order_received_utc) as received_utc_min,
    coalesce(root_orders.order_received_utc_max, root_orders.order_received_utc) as received_utc_max,
    shipments.shipped_utc,
    coalesce(shipments.shipped_utc_min, shipments.shipped_utc) as shipped_utc_min,
    coalesce(shipments.shipped_utc_max, shipments.shipped_utc) as shipped_utc_max,
    shipments.shipped_date,
    shipments.delivered_utc,
    coalesce(shipments.delivered_utc_min, shipments.delivered_utc) as delivered_utc_min,
    coalesce(shipments.delivered_utc_max, shipments.delivered_utc) as delivered_utc_max,
    shipments.delivered_date,
    ranked_invoices.created_utc as invoiced_utc,
    coalesce(ranked_invoices.created_utc_min, ranked_invoices.created_utc) as invoiced_utc_min,
    coalesce(ranked_invoices.created_utc_max, ranked_invoices.created_utc) as invoiced_utc_max,
    ranked_invoices.posting_date as invoiced_date,
from shipments
left join root_orders
    on root_orders.root_order_key = shipments.root_order_key
left join ranked_invoices
    on ranked_invoices.shipment_key = shipments.shipment_key
    and ranked_invoices.invoice_rank = 1
