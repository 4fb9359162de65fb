-- Grain: one site (warehouse, branch). The row `unknown` stands for a site that no system named.
with sites as (

    select * from {{ ref('can_site') }}

),

legal_entities as (

    select * from {{ ref('can_legal_entity') }}

)

select
    sites.site_key,
    sites.site_code,
    sites.site_name,
    sites.zone,
    legal_entities.legal_entity_code,
    legal_entities.name as legal_entity_name,
    legal_entities.currency,
    sites.is_inferred,
from sites
left join legal_entities
    on legal_entities.legal_entity_key = sites.legal_entity_key

union all

select
    'unknown' as site_key,
    'unknown' as site_code,
    'unknown' as site_name,
    null as zone,
    null as legal_entity_code,
    null as legal_entity_name,
    null as currency,
    true as is_inferred
