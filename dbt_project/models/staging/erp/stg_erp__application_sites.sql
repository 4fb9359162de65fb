-- grain: one site per ERP; times are naive, in source_zone
{{ union_systems('erp', 'application_sites', [
    ['site_id', 'bigint'],
    ['site_code', 'varchar'],
    ['site_name', 'varchar'],
    ['zone', 'varchar'],
    ['legal_entity_id', 'bigint'],
]) }}
