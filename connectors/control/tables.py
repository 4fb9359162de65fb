"""The tables of the control store. SQLite by default, Postgres by its URL; the same definitions serve both."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

metadata = MetaData()

# Mirror of what landed (the DuckDB cursor is the truth) -------------------------------------------------------------

landed = Table(
    "landed",
    metadata,
    Column("system", String, primary_key=True),
    Column("position", Text),
    Column("complete_up_to_utc", DateTime),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("dead_letters", BigInteger, nullable=False, default=0),
    Column("last_batch_id", BigInteger),
    Column("last_run_utc", DateTime),
    Column("last_outcome", String),
    Column("last_error", Text),
)

landed_stream = Table(
    "landed_stream",
    metadata,
    Column("system", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("updated_utc", DateTime, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("system", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("stream", String, nullable=False),
    Column("key", Text),
    Column("reason", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("first_seen_utc", DateTime),
)

# The write-back ledger ----------------------------------------------------------------------------------------------

correction = Table(
    "correction",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("key", String, nullable=False),
    Column("field", String, nullable=False),
    Column("desired", Text),
    Column("seen", Text),
    Column("reason", Text, nullable=False),
    Column("actor", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created_utc", DateTime, nullable=False),
)
Index(
    "one_open_correction_per_field",
    correction.c.system,
    correction.c.entity,
    correction.c.key,
    correction.c.field,
    unique=True,
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)

verified = Table(
    "verified",
    metadata,
    Column("system", String, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("field", String, primary_key=True),
    Column("value", Text),
    Column("version", String),
    Column("verified_utc", DateTime, nullable=False),
)

plan = Table(
    "plan",
    metadata,
    Column("hash", String, primary_key=True),
    Column("system", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("planned_by", String, nullable=False),
    Column("planned_utc", DateTime, nullable=False),
    Column("expires_utc", DateTime, nullable=False),
)

approval = Table(
    "approval",
    metadata,
    Column("hash", String, ForeignKey("plan.hash"), primary_key=True),
    Column("actor", String, nullable=False),
    Column("approved_utc", DateTime, nullable=False),
)

intent = Table(
    "intent",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("plan_hash", String, ForeignKey("plan.hash"), nullable=False),
    Column("system", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("key", String, nullable=False),
    Column("fields", Text, nullable=False),
    Column("precondition", String, nullable=False),
    Column("returned_version", String),
    Column("state", String, nullable=False),
    Column("detail", Text),
    Column("token", BigInteger, nullable=False, default=0),
    Column("lease_until_utc", DateTime),
    Column("updated_utc", DateTime, nullable=False),
)
Index("one_intent_per_plan_and_record", intent.c.plan_hash, intent.c.entity, intent.c.key, unique=True)

attempt = Table(
    "attempt",
    metadata,
    Column("intent_id", Integer, ForeignKey("intent.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("request_hash", String, nullable=False),
    Column("sent_utc", DateTime, nullable=False),
    Column("deadline_utc", DateTime, nullable=False),
    Column("outcome", String),
    Column("status", Integer),
    Column("answered_utc", DateTime),
)

transition = Table(
    "transition",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False),
    Column("before", String),
    Column("after", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("detail", Text),
    Column("at_utc", DateTime, nullable=False),
    Column("previous_hash", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("body", Text),  # the row that changed, as it stood after it; null before the chain was keyed
)
