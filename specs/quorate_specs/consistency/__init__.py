"""What clients may expect of replicas.
Here are the names for what was lost in the chapter on replication. A level is a set of histories, from
linearizability, where all looks like one copy, down to a store that promises nothing. Tell two neighbours apart by
the shortest history that one of them allows and the other does not: it is the picture of the rung. Then see, by
trying all of them, that no policy keeps consistency and answers everybody while the network is split.
"""
