"""JSON APIs: one HTTP client with a budget and bounded retries, cursor pages, and documents out of records."""
