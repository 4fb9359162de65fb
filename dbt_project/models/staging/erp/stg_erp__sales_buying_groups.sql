-- grain: one buying group per ERP; times are naive, in source_zone
{{ union_systems('erp', 'sales_buying_groups', [
    ['buying_group_id', 'bigint'],
    ['buying_group_name', 'varchar'],
]) }}
