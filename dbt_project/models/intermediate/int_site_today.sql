-- Grain: one site code. Today's date in the ledger that the site belongs to, and at the site itself, as of now.
{{ config(schema='intermediate') }}

with sites as (

    select * from {{ ref('can_site') }}

),

legal_entities as (

    select * from {{ ref('can_legal_entity') }}

),

utc_offsets as (

    select * from {{ ref('time_utc_offset') }}
    where utc_from <= {{ kpi_as_of() }}
        and utc_until > {{ kpi_as_of() }}

),

-- two systems may name one site; the first by key decides
ranked_sites as (

    select
        site_code,
        zone,
        legal_entity_key,
        row_number() over (partition by site_code order by legal_entity_key asc nulls last, site_key asc) as site_rank,
    from sites

),

zoned as (

    select
        ranked_sites.site_code,
        ranked_sites.zone as site_zone,
        coalesce(legal_entities.zone, ranked_sites.zone) as ledger_zone,
    from ranked_sites
    left join legal_entities
        on legal_entities.legal_entity_key = ranked_sites.legal_entity_key
    where ranked_sites.site_rank = 1

)

select
    zoned.site_code,
    zoned.site_zone,
    zoned.ledger_zone,
    cast({{ kpi_as_of() }} + coalesce(site_offsets.utc_offset_s, 0) * interval '1 second' as date) as site_date,
    cast({{ kpi_as_of() }} + coalesce(ledger_offsets.utc_offset_s, 0) * interval '1 second' as date) as ledger_date,
from zoned
left join utc_offsets as site_offsets
    on site_offsets.zone = zoned.site_zone
left join utc_offsets as ledger_offsets
    on ledger_offsets.zone = zoned.ledger_zone
