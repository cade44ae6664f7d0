"""Circuits at fixed bounds: `cells` are the values, `base` says what they mean, `comprehensions` range over them,
`histories` judge linearizability, and `execution` runs the model."""
