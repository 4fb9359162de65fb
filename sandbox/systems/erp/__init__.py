"""The ERP: a Postgres database with the company's tables, read through logical replication, and an HTTP API to
write."""
