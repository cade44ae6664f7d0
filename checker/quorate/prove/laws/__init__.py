"""Laws of pure functions, for all values: `algebra` says them, `subject` reads a function, `prove` asks the solvers."""
