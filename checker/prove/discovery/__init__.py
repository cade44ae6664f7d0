"""Lemmas found by machine: `grammar` and `own` say what could be claimed, `samples` what explored states refute,
`clauses` combine what is left, `houdini` keeps what is inductive together, and `discover` is the whole search."""
