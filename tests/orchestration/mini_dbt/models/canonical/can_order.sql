select order_key, qty from {{ source('raw_erp', 'sales_orders') }}
