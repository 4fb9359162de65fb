-- grain: one delivery method per ERP; times are naive, in source_zone
{{ union_systems('erp', 'application_delivery_methods', [
    ['delivery_method_id', 'bigint'],
    ['delivery_method_name', 'varchar'],
]) }}
