"""Locks, and requests that take effect once.
One client, one server, and a network between them. A reply that does not come says nothing: the request may have been
lost, or the reply. So the client has to ask again, and the server has to know a request that it has met: exactly once
is said of effects, never of deliveries. A lock shows the other half. Who holds it may be asleep, and sure to hold it
still; so it is the resource that refuses the earlier holder, by a number that only grows. Look for what a process
forgets when it restarts, and for what two of them believe at the same time.
"""
