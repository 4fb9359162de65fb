-- Grain: one posted line of an invoice or a credit note; credit amounts are negative, so that sums are net sales and margin.
with lines as (

    select * from {{ ref('int_margin') }}

),

invoices as (

    select * from {{ ref('can_invoice') }}

),

sites as (

    select
        site_code,
        min(site_key) as site_key,
    from {{ ref('can_site') }}
    group by site_code

)

select
    lines.posted_line_key,
    lines.line_kind,
    lines.invoice_key,
    invoices.invoice_number,
    invoices.order_key,
    invoices.shipment_key,
    lines.order_line_key,
    coalesce(sites.site_key, 'unknown') as site_key,
    coalesce(invoices.bill_to_party_key, 'unknown') as bill_to_customer_key,
    coalesce(lines.item_key, 'unknown') as item_key,
    lines.customer_category,
    lines.item_group,
    lines.posting_date,
    invoices.created_utc,
    lines.qty,
    lines.net_amt,
    lines.tax_amt,
    lines.cogs_amt,
    cast(lines.gross_profit_amt as decimal(18, 2)) as gross_profit_amt,
from lines
left join invoices
    on invoices.invoice_key = lines.invoice_key
left join sites
    on sites.site_code = lines.site_code
