"""One question a file; a result is a table, and JSON with the environment that it depends on."""
