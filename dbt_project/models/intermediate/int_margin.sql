-- Grain: one posted line of an invoice or a credit note. Credits restate margin in their own period (rule R14, accounting view).
{{ config(schema='intermediate') }}

with invoice_lines as (

    select * from {{ ref('can_invoice_line') }}

),

credit_lines as (

    select * from {{ ref('can_credit_line') }}

),

site_days as (

    select * from {{ ref('int_site_today') }}

),

lines as (

    select
        'invoice' as line_kind,
        invoice_line_key as posted_line_key,
        invoice_key,
        order_line_key,
        item_key,
        item_group,
        site_code,
        customer_category,
        posting_date,
        invoiced_qty as qty,
        net_amt,
        tax_amt,
        cogs_amt,
    from invoice_lines

    union all

    select
        'credit' as line_kind,
        credit_line_key as posted_line_key,
        invoice_key,
        order_line_key,
        item_key,
        item_group,
        site_code,
        customer_category,
        posting_date,
        credited_qty as qty,
        net_amt,
        tax_amt,
        cogs_amt,
    from credit_lines

)

select
    lines.line_kind,
    lines.posted_line_key,
    lines.invoice_key,
    lines.order_line_key,
    lines.item_key,
    lines.item_group,
    lines.site_code,
    lines.customer_category,
    lines.posting_date,
    lines.qty,
    lines.net_amt,
    lines.tax_amt,
    lines.cogs_amt,
    lines.net_amt - lines.cogs_amt as gross_profit_amt,
from lines
left join site_days
    on site_days.site_code = lines.site_code
-- a posting date is a day of the ledger's calendar, so it is compared with the ledger's today
where lines.posting_date <= coalesce(site_days.ledger_date, cast({{ kpi_as_of() }} as date))
