-- grain: one line of an invoice or credit note, tied to its order line
-- by the line it quotes (explicit id), else the only line of its order with that item (composite)
{{ config(unique_key=['line_key']) }}
with only_line as (
    select
        order_key,
        item_key,
        min(order_line_key) as order_line_key,
    from {{ ref('can_order_line') }}
    group by all
    having count(*) = 1
)

select
    line.key_prefix || line.invoice_line_id as line_key,
    invoice.invoice_key,
    invoice.credited_invoice_key,
    case
        when line.order_line_id is not null then line.key_prefix || line.order_line_id
        else only_line.order_line_key
    end as order_line_key,
    case
        when line.order_line_id is not null then 'explicit_id'
        when only_line.order_line_key is not null then 'composite'
    end as rung,
    invoice.shipment_key,
    line.key_prefix || line.stock_item_id as item_key,
    invoice.site_code,
    invoice.customer_category,
    invoice.posting_date,
    invoice.is_credit,
    cast(line.quantity as decimal(18, 4)) as qty,
    cast(line.extended_price - line.tax_amount as decimal(18, 2)) as net_amt,
    line.tax_amount as tax_amt,
    cast(line.extended_price - line.tax_amount - line.line_profit as decimal(18, 2)) as cogs_amt,
    cast(line.invoice_line_id as varchar) as source_key,
    line.source_system,
    line.source_batch_id,
    line.known_from_utc,
from {{ ref('stg_erp__sales_invoice_lines') }} as line
inner join {{ ref('can_invoice') }} as invoice on invoice.invoice_key = line.key_prefix || line.invoice_id
left join only_line
    on only_line.order_key = invoice.order_key
    and only_line.item_key = line.key_prefix || line.stock_item_id
