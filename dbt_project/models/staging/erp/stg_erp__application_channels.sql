-- grain: one sales channel per ERP; times are naive, in source_zone
{{ union_systems('erp', 'application_channels', [
    ['channel_id', 'bigint'],
    ['channel_code', 'varchar'],
    ['channel_name', 'varchar'],
]) }}
