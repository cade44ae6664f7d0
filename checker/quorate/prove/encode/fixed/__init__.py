"""Circuits at fixed bounds: `parts` are the values, `cells` makes them, `base` says what they mean, `comprehensions` range over them,
`histories` judge linearizability, and `execution` runs the model."""
