-- Wide World Importers' KPIs by year, month and in total, straight from its Parquet files; shares nothing with the models.
-- {data} is the folder of the files. Result: kpi_id, period, numerator, denominator.
with recursive chain as (
    select o.OrderID as order_id, o.OrderID as root_id, o.BackorderOrderID as next_id, 0 as depth
    from '{data}/Sales.Orders.parquet' as o
    where o.OrderID not in (select BackorderOrderID from '{data}/Sales.Orders.parquet' where BackorderOrderID is not null)
    union all
    select o.OrderID, chain.root_id, o.BackorderOrderID, chain.depth + 1
    from chain
    inner join '{data}/Sales.Orders.parquet' as o on o.OrderID = chain.next_id
),

line as (
    select
        chain.root_id,
        root.ExpectedDeliveryDate::date as due,
        l.Quantity::decimal(38, 4) as qty,
        l.Quantity * l.UnitPrice::decimal(18, 4) as amt,
        l.PickedQuantity >= l.Quantity as is_picked,
        chain.depth > 0 as is_backorder,
        l.PickingCompletedWhen::date <= root.ExpectedDeliveryDate::date as is_in_time
    from '{data}/Sales.OrderLines.parquet' as l
    inner join chain on chain.order_id = l.OrderID
    inner join '{data}/Sales.Orders.parquet' as root on root.OrderID = chain.root_id
),

judged as (
    select root_id, due, qty, amt, 'first_event' as variant, is_picked and not is_backorder as is_filled, is_backorder from line
    union all
    select root_id, due, qty, amt, 'first_pass', is_picked and coalesce(is_in_time, false), false from line
    union all
    select root_id, due, qty, amt, 'to_date', is_picked, false from line
),

judged_order as (
    select root_id, due, variant, bool_and(is_filled) and not bool_or(is_backorder) as is_filled
    from judged
    group by root_id, due, variant
),

invoice as (
    select InvoiceID, InvoiceDate::date as posted from '{data}/derived_Sales.InvoiceOrderMap.parquet'
),

fact as (
    select 'fill_rate_line_' || variant || '_strict' as kpi_id, due as day, is_filled::integer::decimal(38, 4) as part, 1::decimal(38, 4) as whole
    from judged
    union all
    select 'fill_rate_unit_' || variant || '_strict', due, case when is_filled then qty else 0 end, qty from judged
    union all
    select 'fill_rate_value_' || variant || '_strict', due, case when is_filled then amt else 0 end, amt from judged
    union all
    select 'fill_rate_order_' || variant || '_strict', due, is_filled::integer, 1 from judged_order
    union all
    select 'gross_margin_rate', posted, LineProfit::decimal(18, 2), ExtendedPrice::decimal(18, 2) - TaxAmount::decimal(18, 2)
    from '{data}/Sales.InvoiceLines.parquet'
    inner join invoice using (InvoiceID)
    union all
    select delivery.kpi_id, root.ExpectedDeliveryDate::date, delivery.part::integer, 1
    from '{data}/Sales.Invoices_May.parquet' as may
    inner join '{data}/derived_Sales.InvoiceOrderMap.parquet' as map on map.InvoiceID = may.InvoiceID
    inner join chain on chain.order_id = map.OrderID
    inner join '{data}/Sales.Orders.parquet' as root on root.OrderID = chain.root_id
    cross join lateral (values
        ('delivery_completed_to_commit', may.ConfirmedDeliveryTime is not null),
        ('delivery_open_to_commit', may.ConfirmedDeliveryTime is null),
        ('on_time_delivery_to_commit', coalesce(may.ConfirmedDeliveryTime::date <= root.ExpectedDeliveryDate::date, false)),
        ('delivery_late_to_commit', coalesce(may.ConfirmedDeliveryTime::date > root.ExpectedDeliveryDate::date, false))
    ) as delivery(kpi_id, part)
)

select kpi_id, period, sum(part)::decimal(38, 6) as numerator, sum(whole)::decimal(38, 6) as denominator
from fact
cross join lateral (values ('total'), (strftime(day, '%Y')), (strftime(day, '%Y-%m'))) as periods(period)
group by kpi_id, period
