-- grain: one supplier category per ERP; times are naive, in source_zone
{{ union_systems('erp', 'purchasing_supplier_categories', [
    ['supplier_category_id', 'bigint'],
    ['supplier_category_name', 'varchar'],
]) }}
