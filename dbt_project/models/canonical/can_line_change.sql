-- grain: one change of one line: the customer's through the OMS, the seller's in the ERP
with erp as (
    select
        change.key_prefix || change.order_line_change_id as line_change_key,
        change.key_prefix || change.order_line_id as order_line_key,
        change.change_kind,
        cast(change.new_quantity as decimal(18, 4)) - cast(change.old_quantity as decimal(18, 4)) as qty_delta,
        change.initiator as initiator_raw,
        change.reason,
        {{ utc_columns('changed', 'clock', 'change.changed_when', "'us'") }}
        {{ provenance('change', 'change.order_line_change_id') }}
    from {{ ref('stg_erp__sales_order_line_changes') }} as change
    {{ join_local_time('clock', 'change.changed_when', 'change.source_zone') }}
),

oms as (
    select
        change.key_prefix || change.oms_order_number || '/' || change.change_id as line_change_key,
        lines.order_line_key,
        change.change_kind,
        change.new_qty - change.old_qty as qty_delta,
        change.initiator_raw,
        change.reason,
        {{ utc_from_z('change.changed_at_raw') }} as changed_utc,
        {{ utc_from_z('change.changed_at_raw') }} as changed_utc_min,
        {{ utc_from_z('change.changed_at_raw') }} + interval 1 second as changed_utc_max,
        {{ provenance('change', "change.oms_order_number || '/' || change.change_id") }}
    from {{ ref('stg_oms__change') }} as change
    inner join {{ ref('prt_oms_line') }} as lines using (source_system, oms_order_number, line_number)
),

changes as (
    select * from erp
    union all by name
    select * from oms
)

select
    changes.line_change_key,
    changes.order_line_key,
    coalesce(lines.root_order_line_key, changes.order_line_key) as root_order_line_key,
    lower(changes.change_kind) as change_kind,
    coalesce(changes.qty_delta, 0) as qty_delta,
    case
        when lower(changes.initiator_raw) in ('customer', 'seller') then lower(changes.initiator_raw)
        else 'unknown'
    end as initiator,
    changes.reason,
    changes.changed_utc,
    changes.changed_utc_min,
    changes.changed_utc_max,
    changes.source_system,
    changes.source_key,
    changes.source_batch_id,
    changes.known_from_utc,
    changes.is_inferred,
    changes.contract_version,
from changes
left join {{ ref('can_order_line') }} as lines on lines.order_line_key = changes.order_line_key
