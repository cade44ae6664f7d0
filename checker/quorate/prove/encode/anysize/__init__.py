"""Formulas for any number of nodes. `terms` are those of the logic; `containers` the values; `shapes` take values apart into
leaves; `symbols` are unknown values. On these a machine is built in layers: `quantifiers`, `conversions`, `comprehensions`,
`definitions` (values that a formula defines), `objects` (containers inside messages), `effects` (loops), and `execution`,
which runs the model. What has no meaning at any size is refused with `refusal.NoAnySize`."""
