"""Formulas for any number of nodes: `symbols` are the values, `quantifiers` range over them, `definitions` are values
that a formula defines, `effects` are loops, and `execution` runs the model."""
