-- grain: item x site x lot x status x owner x instant x who says so
with snapshots as (
    select
        report.key_prefix || report.doc_key as stock_balance_key,
        report.erp_prefix || report.item_number as item_key,
        site.site_key,
        report.site_code,
        report.lot,
        report.stock_status,
        report.stock_owner,
        report.on_hand_qty,
        report.allocated_qty,
        'wms_snapshot' as basis,
        {{ parse_local('report.as_of_raw') }} as as_of_local,
        coalesce(site.zone, report.source_zone) as zone,
        {{ provenance('report', 'report.doc_key') }}
    from {{ ref('stg_wms__stock_report') }} as report
    left join {{ ref('can_site') }} as site
        on site.site_code = report.site_code
        and site.source_system in (report.erp_system, report.source_system)
),

holdings as (
    select
        holding.key_prefix || holding.stock_item_holding_id as stock_balance_key,
        holding.key_prefix || holding.stock_item_id as item_key,
        site.site_key,
        site.site_code,
        cast(holding.quantity_on_hand as decimal(18, 4)) as on_hand_qty,
        'erp_holding' as basis,
        holding.last_edited_when as as_of_local,
        holding.source_zone as zone,
        {{ provenance('holding', 'holding.stock_item_holding_id') }}
    from {{ ref('stg_erp__warehouse_stock_item_holdings') }} as holding
    left join {{ ref('can_site') }} as site on site.site_key = holding.key_prefix || holding.site_id
),

balances as (
    select * from snapshots
    union all by name
    select * from holdings
)

select
    balances.* exclude (as_of_local, zone), -- noqa: RF02
    row_number() over (
        partition by
            balances.basis, balances.item_key, balances.site_code, balances.lot, balances.stock_status,
            balances.stock_owner
        order by balances.as_of_local desc nulls last, balances.stock_balance_key desc
    ) = 1 as is_current,
    {{ utc_columns('as_of', 'clock', 'balances.as_of_local') }}
from balances
{{ join_local_time('clock', 'balances.as_of_local', 'balances.zone') }}
