"""Seeded bugs of the reference: (name, file, text, replacement). Each is a mistake that someone could have made."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One bug: in `file`, `old` (which stands there exactly once) becomes `new`."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant("no_cap", "fill_rate.py", 'pl.min_horizontal(pl.col(way), wanted).alias(f"unit', 'pl.col(way).alias(f"unit'),
    Mutant(
        "no_cap_on_value",
        "fill_rate.py",
        "(pl.min_horizontal(pl.col(way).cast(pl.Int128), wanted) * price)",
        "(pl.col(way).cast(pl.Int128) * price)",
    ),
    Mutant(
        "seller_cuts_lower_the_order",
        "fill_rate.py",
        '(pl.col("initiator") == "customer")',
        '(pl.col("initiator") != "unknown")',
    ),
    Mutant(
        "unknown_counts_as_customer",
        "fill_rate.py",
        '(pl.col("initiator") == "customer")',
        '(pl.col("initiator") != "seller")',
    ),
    Mutant(
        "customer_changes_ignored",
        "fill_rate.py",
        '(pl.col("initiator") == "customer")',
        '(pl.col("initiator") == "nobody")',
    ),
    Mutant("amendments_ignored", "fill_rate.py", '["quantity", "cancel"]', '["cancel"]'),
    Mutant("cancellations_ignored", "fill_rate.py", '["quantity", "cancel"]', '["quantity"]'),
    Mutant(
        "price_changes_change_quantity", "fill_rate.py", '["quantity", "cancel"]', '["quantity", "cancel", "price"]'
    ),
    Mutant(
        "changes_after_the_deadline",
        "fill_rate.py",
        '.filter(pl.col("changed_utc") < pl.col("commit_deadline_utc"))',
        "",
    ),
    Mutant(
        "change_at_the_deadline",
        "fill_rate.py",
        'pl.col("changed_utc") < pl.col("commit',
        'pl.col("changed_utc") <= pl.col("commit',
    ),
    Mutant("substitutes_are_lines", "fill_rate.py", 'pl.col("substitutes_order_line_key").is_null()', "pl.lit(True)"),
    Mutant("charges_are_lines", "fill_rate.py", '& pl.col("is_goods")', ""),
    Mutant(
        "backorder_lines_counted_again",
        "fill_rate.py",
        '(pl.col("root_order_line_key") == pl.col("order_line_key"))',
        "pl.lit(True)",
    ),
    Mutant("cancelled_lines_stay", "fill_rate.py", '.filter(pl.col("effective_e4") > 0)', ""),
    Mutant("immature_orders_count", "fill_rate.py", '.filter(pl.col("commit_deadline_utc") <= as_of)', ""),
    Mutant(
        "due_exactly_now_is_not_due",
        "fill_rate.py",
        'pl.col("commit_deadline_utc") <= as_of',
        'pl.col("commit_deadline_utc") < as_of',
    ),
    Mutant("deadline_inclusive", "fill_rate.py", "by_now & (shipped < deadline)", "by_now & (shipped <= deadline)"),
    Mutant("shipped_after_now", "fill_rate.py", '"to_date": by_now', '"to_date": shipped.is_not_null()'),
    Mutant("void_ships", "fill_rate.py", '        .filter(~pl.col("is_void"))\n', ""),
    Mutant(
        "any_release_is_the_first",
        "fill_rate.py",
        '(pl.col("release_event_key") == pl.col("first_release_event_key"))',
        'pl.col("release_event_key").is_not_null()',
    ),
    Mutant(
        "first_release_ignores_depth", "fill_rate.py", '.sort("chain_depth", "released_utc"', '.sort("released_utc"'
    ),
    Mutant("unknown_release_time_last", "fill_rate.py", "nulls_last=False", "nulls_last=True"),
    Mutant(
        "last_release_is_the_first",
        "fill_rate.py",
        'pl.col("release_event_key").first()',
        'pl.col("release_event_key").last()',
    ),
    Mutant("backorder_child_forgiven", "fill_rate.py", ' & pl.col("has_backorder").is_null()', ""),
    Mutant(
        "empty_child_fails_the_order", "orders.py", '.join(frames["can_order_line"], on="order_key", how="semi")', ""
    ),
    Mutant(
        "one_line_fills_the_order",
        "fill_rate.py",
        '>= pl.col("effective_e4")).all()',
        '>= pl.col("effective_e4")).any()',
    ),
    Mutant(
        "free_lines_and_list_price",
        "fill_rate.py",
        'pl.col("effective_e4").cast(pl.Int128), pl.col("unit_price_e4")',
        'pl.col("effective_e4").cast(pl.Int128), pl.lit(10_000)',
    ),
    Mutant(
        "bounds_forgotten",
        "fill_rate.py",
        'if way == "first_pass" else (None, None)',
        'if way == "never" else (None, None)',
    ),
    Mutant(
        "certain_is_possible", "fill_rate.py", "(latest <= deadline) & (shipped < deadline)", "(earliest <= deadline)"
    ),
    Mutant("test_orders_count", "orders.py", ' & pl.col("is_in_scope")', ""),
    Mutant("site_is_the_category", "orders.py", 'site="site_code"', 'site="customer_category"'),
    Mutant("future_postings", "orders.py", 'return lines.filter(pl.col("posting_date") <= today)', "return lines"),
    Mutant(
        "delivered_at_the_deadline_is_on_time",
        "delivery.py",
        "on_time = delivered & (at < deadline)",
        "on_time = delivered & (at <= deadline)",
    ),
    Mutant(
        "commit_deadline_of_the_site",
        "delivery.py",
        '"first_commit_date", "delivery_deadline_utc")',
        '"first_commit_date", delivery_deadline_utc="commit_deadline_utc")',
    ),
    Mutant("late_includes_open", "delivery.py", '"late": delivered & ~on_time', '"late": ~on_time'),
    Mutant("delivered_after_now", "delivery.py", "(at <= as_of).fill_null(False)", "at.is_not_null()"),
    Mutant("untracked_shipments_count", "delivery.py", ' & pl.col("has_tracking")', ""),
    Mutant("void_delivery", "delivery.py", '~pl.col("is_void") & ', ""),
    Mutant(
        "delivery_by_its_own_day",
        "delivery.py",
        'pl.col("first_commit_date").alias("period_date")',
        'pl.col("delivered_date").alias("period_date")',
    ),
    Mutant(
        "date_only_is_exact",
        "delivery.py",
        'possible = on_time | (delivered & (pl.col("delivered_utc_min").fill_null(at) < deadline))',
        "possible = on_time",
    ),
    Mutant(
        "percentile_by_nearest_rank", "latency.py", '*(exact.quantile(q, "linear")', '*(exact.quantile(q, "nearest")'
    ),
    Mutant(
        "uncertain_pairs_enter_the_value",
        "latency.py",
        'exact = pl.col("seconds").filter(pl.col("is_exact"))',
        'exact = pl.col("seconds")',
    ),
    Mutant("uncertainty_limit_off_by_one", "latency.py", "EXACT_UP_TO_S = 900", "EXACT_UP_TO_S = 901"),
    Mutant("credit_is_the_first_invoice", "latency.py", '~pl.col("is_credit") & ', ""),
    Mutant(
        "last_invoice",
        "latency.py",
        '.sort("created_utc", "invoice_key")',
        '.sort("created_utc", "invoice_key", descending=True)',
    ),
    Mutant(
        "delivery_latency_by_ship_date",
        "latency.py",
        '"order_to_delivery": ("order_received_utc", "delivered_utc", "delivered_date")',
        '"order_to_delivery": ("order_received_utc", "delivered_utc", "shipped_date")',
    ),
    Mutant(
        "negative_latency_clipped",
        "latency.py",
        "seconds=_whole(pl.col(end)) - _whole(pl.col(start))",
        "seconds=(_whole(pl.col(end)) - _whole(pl.col(start))).clip(0)",
    ),
    Mutant("credits_forgotten", "margin.py", "for part in (invoiced, credited)", "for part in (invoiced,)"),
    Mutant(
        "cost_added",
        "margin.py",
        'pl.col("net_amt_e2") - pl.col("cogs_amt_e2")',
        'pl.col("net_amt_e2") + pl.col("cogs_amt_e2")',
    ),
    Mutant("rate_of_negative_revenue", "margin.py", "exponent=2, needs_positive_denominator=True", "exponent=2"),
    Mutant(
        "over_invoicing_pays_for_others",
        "billing.py",
        'pl.max_horizontal(pl.col("shipped_e4") - pl.col("invoiced_e4").fill_null(0), pl.lit(0, pl.Int64))',
        '(pl.col("shipped_e4") - pl.col("invoiced_e4").fill_null(0))',
    ),
    Mutant("void_is_billable", "billing.py", '~pl.col("is_void") & ', ""),
    Mutant("month_of_the_week", "cells.py", '"%G-W%V"', '"%Y-W%V"'),
    Mutant(
        "largest_instead_of_sum",
        "cells.py",
        "pl.col(name).cast(pl.Int128).sum() for name in measures)\n    told",
        "pl.col(name).cast(pl.Int128).max() for name in measures)\n    told",
    ),
)
