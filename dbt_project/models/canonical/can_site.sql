-- grain: one site; a site that only a warehouse system declares stands in until the ERP has it
with known as (
    select
        site.key_prefix || site.site_id as site_key,
        site.site_code,
        site.site_name,
        coalesce(site.zone, site.source_zone, 'Etc/UTC') as zone,
        case
            when site.legal_entity_id is not null
                then site.key_prefix || site.legal_entity_id
        end as legal_entity_key,
        {{ provenance('site', 'site.site_id') }}
    from {{ ref('stg_erp__application_sites') }} as site
),

declared as (
    select * from {{ ref('stg_wms__site') }} as site
    where
        not exists (
            select 1 from known
            where known.site_code = site.site_code and known.source_system = site.erp_system
        )
)

select * from known
union all
select
    declared.key_prefix || declared.site_code as site_key,
    declared.site_code,
    declared.site_code as site_name,
    declared.zone,
    null as legal_entity_key,
    {{ provenance('declared', 'declared.site_code', 'true') }}
from declared
