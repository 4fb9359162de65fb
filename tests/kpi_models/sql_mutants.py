"""Seeded bugs of the SQL: (name, model, text, replacement), applied to the model as dbt renders it."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One bug: in the rendered `model`, every `old` (there is at least one) becomes `new`."""

    name: str
    model: str
    old: str
    new: str


MUTANTS = (
    Mutant("no_cap", "int_fill_line", "least(to_date_qty, effective_qty)", "to_date_qty"),
    Mutant(
        "current_promise_for_first_commit",
        "int_root_order",
        "orders.first_commit_date",
        "orders.current_commit_date as first_commit_date",
    ),
    Mutant(
        "seller_cuts_lower_the_order",
        "int_line_demand",
        "changes.initiator = 'customer' and",
        "changes.initiator in ('customer', 'seller') and",
    ),
    Mutant(
        "unknown_counts_as_customer",
        "int_line_demand",
        "changes.initiator = 'customer' and",
        "changes.initiator <> 'seller' and",
    ),
    Mutant("customer_changes_ignored", "int_line_demand", "coalesce(line_changes.customer_change_qty, 0), 0)", "0, 0)"),
    Mutant(
        "price_changes_change_quantity",
        "int_line_demand",
        "in ('quantity', 'cancel')",
        "in ('quantity', 'cancel', 'price')",
    ),
    Mutant("cancellations_ignored", "int_line_demand", "in ('quantity', 'cancel')", "in ('quantity')"),
    Mutant(
        "changes_after_the_deadline", "int_line_demand", "and changes.changed_utc < root_lines.commit_deadline_utc", ""
    ),
    Mutant("change_at_the_deadline", "int_line_demand", "changes.changed_utc < root", "changes.changed_utc <= root"),
    Mutant("negative_demand", "int_fill_line", "when demand.effective_qty <= 0 then 'cancelled_by_customer'", ""),
    Mutant(
        "substitutes_are_lines",
        "int_fill_line",
        "when lines.substitutes_order_line_key is not null then 'substitute'",
        "",
    ),
    Mutant(
        "charges_are_lines", "int_fill_line", "when not lines.is_goods then 'not_goods'", "when false then 'not_goods'"
    ),
    Mutant("test_orders_count", "int_fill_line", "not coalesce(root_orders.is_in_scope, false)", "false"),
    Mutant("immature_orders_count", "int_fill_line", "when not root_orders.is_commit_due then 'not_due'", ""),
    Mutant("complete_needs_more", "int_fill_line", "to_date_qty >= effective_qty", "to_date_qty > effective_qty"),
    Mutant("void_ships", "int_line_shipped", "where not is_void\n        and", "where"),
    Mutant(
        "shipped_after_now",
        "int_line_shipped",
        "and shipped_utc <= cast",
        "and shipped_utc > cast('1970-01-01' as timestamp) or false and shipped_utc <= cast",
    ),
    Mutant(
        "first_event_uses_all_releases",
        "int_line_shipped",
        "shipment_lines.release_event_key = root_orders.first_release_event_key",
        "shipment_lines.release_event_key is not null",
    ),
    Mutant(
        "deadline_inclusive",
        "int_line_shipped",
        "shipment_lines.shipped_utc < root_orders.commit_deadline_utc",
        "shipment_lines.shipped_utc <= root_orders.commit_deadline_utc",
    ),
    Mutant(
        "certain_ignores_the_interval",
        "int_line_shipped",
        "is_before_deadline and is_end_before_deadline",
        "is_before_deadline",
    ),
    Mutant(
        "first_release_ignores_depth",
        "int_root_order",
        "order by chain_depth asc, released_utc",
        "order by released_utc",
    ),
    Mutant("unknown_release_time_last", "int_root_order", "nulls first", "nulls last"),
    Mutant(
        "empty_child_is_a_backorder",
        "int_root_order",
        "inner join lines\n        on lines.order_key = orders.order_key",
        "",
    ),
    Mutant("backorder_child_forgiven", "int_fill_order", "and not has_backorder as", "as"),
    Mutant(
        "one_line_fills_the_order",
        "int_fill_order",
        "min(case when is_complete_to_date",
        "max(case when is_complete_to_date",
    ),
    Mutant(
        "untracked_shipments_count", "int_delivery", "where has_tracking\n        and is_in_scope", "where is_in_scope"
    ),
    Mutant(
        "delivered_at_the_deadline_is_on_time",
        "int_delivery",
        "delivered_utc < delivery_deadline_utc",
        "delivered_utc <= delivery_deadline_utc",
    ),
    Mutant(
        "delivered_after_now",
        "int_delivery",
        "coalesce(delivered_utc <= cast",
        "coalesce(delivered_utc is not null or delivered_utc <= cast",
    ),
    Mutant(
        "deadline_of_the_site",
        "int_root_order",
        "orders.delivery_deadline_utc,",
        "orders.commit_deadline_utc as delivery_deadline_utc,",
    ),
    Mutant("immature_deliveries_count", "kpi_delivery", "where is_delivery_due", "where true"),
    Mutant("void_delivery", "int_shipment_clock", "where not is_void", "where true"),
    Mutant("credit_is_the_first_invoice", "int_shipment_clock", "where not is_credit\n        and", "where"),
    Mutant(
        "last_invoice",
        "int_shipment_clock",
        "order by created_utc asc nulls last",
        "order by created_utc desc nulls last",
    ),
    Mutant("uncertainty_limit_off_by_one", "int_latency", "interval '900 seconds'", "interval '901 seconds'"),
    Mutant("uncertain_pairs_enter_the_value", "int_latency", "case when is_exact then", "case when true then"),
    Mutant("order_latency_by_ship_date", "int_latency", "delivered_date as period_date", "shipped_date as period_date"),
    Mutant("discrete_percentile", "kpi_latency", "quantile_cont(latency_s, 0.9)", "quantile_disc(latency_s, 0.9)"),
    Mutant("credits_forgotten", "int_margin", "from credit_lines", "from credit_lines where false"),
    Mutant("cost_added", "int_margin", "lines.net_amt - lines.cogs_amt", "lines.net_amt + lines.cogs_amt"),
    Mutant("future_postings", "int_margin", "where lines.posting_date <=", "where true or lines.posting_date <="),
    Mutant("rate_of_negative_revenue", "kpi_margin", "when sales_amt > 0 then", "when true then"),
    Mutant(
        "over_invoicing_pays_for_others",
        "int_shipped_not_invoiced",
        "greatest(shipped.shipped_qty - coalesce(invoiced.invoiced_qty, 0), 0)",
        "shipped.shipped_qty - coalesce(invoiced.invoiced_qty, 0)",
    ),
    Mutant("credits_count_as_invoices", "int_shipped_not_invoiced", "where line_kind = 'invoice'", ""),
    Mutant(
        "ratios_averaged",
        "kpi_fill_rate",
        "coalesce(sum(filled_to_date_qty), 0)",
        "avg(filled_to_date_qty / effective_qty) * coalesce(sum(effective_qty), 0)",
    ),
    Mutant("site_of_the_shipment_lost", "int_shipment_clock", "shipments.site_code,", "root_orders.site_code,"),
    Mutant(
        "week_of_the_year_it_starts_in",
        "dim_date",
        "cast(iso_year as varchar) || '-W'",
        "cast(calendar_year as varchar) || '-W'",
    ),
)
