"""Data divided among shards: who owns a key, and how keys move."""
