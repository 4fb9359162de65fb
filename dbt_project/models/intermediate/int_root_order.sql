-- Grain: one root order (an order and its backorders of any depth, rule R6).
{{ config(materialized='table', schema='intermediate') }}

with orders as (

    select * from {{ ref('can_sales_order') }}

),

lines as (

    select * from {{ ref('can_order_line') }}

),

releases as (

    select * from {{ ref('can_release') }}

),

-- a backorder that carries at least one line; an empty child order is paperwork
backordered as (

    select distinct orders.root_order_key
    from orders
    inner join lines
        on lines.order_key = orders.order_key
    where orders.chain_depth > 0

),

ranked_releases as (

    select
        root_order_key,
        release_event_key,
        row_number() over (
            partition by root_order_key
            order by chain_depth asc, released_utc asc nulls first, release_event_key asc
        ) as release_rank,
    from releases

),

first_releases as (

    select
        root_order_key,
        release_event_key,
    from ranked_releases
    where release_rank = 1

)

select
    orders.order_key as root_order_key,
    orders.site_code,
    orders.customer_category,
    orders.is_in_scope,
    orders.order_received_utc,
    orders.order_received_utc_min,
    orders.order_received_utc_max,
    orders.first_commit_date,
    orders.commit_deadline_utc,
    orders.delivery_deadline_utc,
    coalesce(orders.commit_deadline_utc <= {{ kpi_as_of() }}, false) as is_commit_due,
    coalesce(orders.delivery_deadline_utc <= {{ kpi_as_of() }}, false) as is_delivery_due,
    first_releases.release_event_key as first_release_event_key,
    backordered.root_order_key is not null as has_backorder,
from orders
left join first_releases
    on first_releases.root_order_key = orders.order_key
left join backordered
    on backordered.root_order_key = orders.order_key
where orders.root_order_key = orders.order_key
