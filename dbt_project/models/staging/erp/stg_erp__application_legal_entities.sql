-- grain: one legal entity per ERP; times are naive, in source_zone
{{ union_systems('erp', 'application_legal_entities', [
    ['legal_entity_id', 'bigint'],
    ['legal_entity_name', 'varchar'],
    ['currency', 'varchar'],
    ['zone', 'varchar'],
]) }}
