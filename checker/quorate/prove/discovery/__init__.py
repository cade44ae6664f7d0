"""Lemmas found by machine: `grammar` and `own` say what could be claimed, `samples` what explored states refute,
`clauses` combine what is left, `universe` has them and weaker ones, `guided` takes those that a proof needs, `houdini`
asks a solver, and `discover` is the whole search."""
