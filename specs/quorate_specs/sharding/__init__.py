"""Data divided among shards: who owns a key, and how keys move.
While nothing moves, a function from keys to shards is enough, as long as all compute the same one. When it changes,
everybody can agree on the new owner while the data are still at the old one. And whoever has not heard of the change
writes to where nobody will look. So a number travels with each request, the epoch, by which a shard refuses what was
meant for its predecessor: the fence of a lock, for a whole store.
"""
