"""Speed, as a ratio against a named peer on the same work in the same run. Never a timed test."""
