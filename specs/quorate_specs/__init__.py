"""The protocol library: one module per protocol, by family, each with its properties and its broken variants."""
