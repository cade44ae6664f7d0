"""Asking solvers: `query` is a question in SMT-LIB, `smt` asks a portfolio, `premise_selection` chooses its lemmas, `sat`
asks about clauses, `processes` asks several at a time, `evidence` keeps what was asked and answered."""
