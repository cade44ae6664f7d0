"""From runs to traces: what a picture needs of each step, why a property is false, and whether a stored trace still happens."""
