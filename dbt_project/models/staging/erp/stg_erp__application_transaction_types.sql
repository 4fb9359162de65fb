-- grain: one transaction type per ERP; times are naive, in source_zone
{{ union_systems('erp', 'application_transaction_types', [
    ['transaction_type_id', 'bigint'],
    ['transaction_type_name', 'varchar'],
]) }}
