"""Reference implementations, which know neither the checker nor the specs and can be lifted out."""
