-- grain: one customer or supplier account; one that only documents name is inferred
with customers as (
    select
        customer.key_prefix || 'customer:' || customer.customer_id as party_key,
        'customer' as party_role,
        cast(customer.customer_id as varchar) as party_number,
        customer.customer_name as party_name,
        customer.key_prefix || 'customer:' || coalesce(customer.bill_to_customer_id, customer.customer_id)
            as bill_to_party_key,
        category.customer_category_name as customer_category,
        buying_group.buying_group_name as buying_group,
        customer.delivery_zone as zone,
        customer.credit_limit,
        customer.is_on_credit_hold,
        cast(customer.payment_days as integer) as payment_days,
        customer.phone_number,
        customer.delivery_address_line as address_line,
        customer.delivery_postal_code as postal_code,
        customer.account_opened_date as opened_date,
        cast(null as varchar) as supplier_reference,
        customer.row_version as source_row_version,
        {{ provenance('customer', 'customer.customer_id') }}
    from {{ ref('stg_erp__sales_customers') }} as customer
    left join {{ ref('stg_erp__sales_customer_categories') }} as category
        using (source_system, customer_category_id)
    left join {{ ref('stg_erp__sales_buying_groups') }} as buying_group using (source_system, buying_group_id)
),

suppliers as (
    select
        supplier.key_prefix || 'supplier:' || supplier.supplier_id as party_key,
        'supplier' as party_role,
        cast(supplier.supplier_id as varchar) as party_number,
        supplier.supplier_name as party_name,
        supplier.key_prefix || 'supplier:' || supplier.supplier_id as bill_to_party_key,
        category.supplier_category_name as customer_category,
        cast(supplier.payment_days as integer) as payment_days,
        supplier.phone_number,
        supplier.supplier_reference,
        supplier.row_version as source_row_version,
        {{ provenance('supplier', 'supplier.supplier_id') }}
    from {{ ref('stg_erp__purchasing_suppliers') }} as supplier
    left join {{ ref('stg_erp__purchasing_supplier_categories') }} as category
        using (source_system, supplier_category_id)
),

known as (
    select * from customers
    union all by name
    select * from suppliers
),

named as (
    select
        key_prefix,
        'customer' as party_role,
        cast(customer_id as varchar) as party_number,
        source_system,
    from {{ ref('stg_erp__sales_orders') }}
    union all
    select
        erp_prefix as key_prefix,
        'customer' as party_role,
        customer_ref as party_number,
        source_system,
    from {{ ref('stg_oms__order') }}
    union all
    select
        key_prefix,
        'customer' as party_role,
        cast(customer_id as varchar) as party_number,
        source_system,
    from {{ ref('stg_erp__sales_invoices') }}
    union all
    select
        key_prefix,
        'customer' as party_role,
        cast(bill_to_customer_id as varchar) as party_number,
        source_system,
    from {{ ref('stg_erp__sales_customers') }}
    union all
    select
        key_prefix,
        'supplier' as party_role,
        cast(supplier_id as varchar) as party_number,
        source_system,
    from {{ ref('stg_erp__purchasing_purchase_orders') }}
    union all
    select
        key_prefix,
        'supplier' as party_role,
        cast(supplier_id as varchar) as party_number,
        source_system,
    from {{ ref('stg_erp__warehouse_stock_items') }}
),

missing as (
    select
        key_prefix,
        party_role,
        party_number,
        min(source_system) as source_system,
        cast(null as bigint) as source_batch_id,
        cast(null as timestamp) as known_from_utc,
    from named
    where party_number is not null
    group by all
    having key_prefix || party_role || ':' || party_number not in (select known.party_key from known)
)

select * from known
union all by name
select
    missing.key_prefix || missing.party_role || ':' || missing.party_number as party_key,
    missing.party_role,
    missing.party_number,
    missing.key_prefix || missing.party_role || ':' || missing.party_number as bill_to_party_key,
    {{ provenance('missing', 'missing.party_number', 'true') }}
from missing
