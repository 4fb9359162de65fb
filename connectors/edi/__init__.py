"""X12: a tokenizer, the envelope's checks, and one map per document kind to a neutral document.

Here belongs what the bytes say; canonical rows and UTC do not.
"""
