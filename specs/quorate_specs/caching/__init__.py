"""A cache beside a database."""
