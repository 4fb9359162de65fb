-- grain: one legal entity of one ERP
select
    entity.key_prefix || entity.legal_entity_id as legal_entity_key,
    cast(entity.legal_entity_id as varchar) as legal_entity_code,
    entity.legal_entity_name as name,
    entity.currency,
    entity.zone,
    {{ provenance('entity', 'entity.legal_entity_id') }}
from {{ ref('stg_erp__application_legal_entities') }} as entity
