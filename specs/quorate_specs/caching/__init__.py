"""A cache beside a database.
There are two copies of one value, and already it matters in which order they are written. Read the runs as races: a
reader loads before a write, and puts in what it has after the deletion. A deletion removes what is there and does not
stop what is on its way, unless the cache can tell what was loaded before it (a lease). And who writes to two systems
without a transaction can crash between the two writes.
"""
