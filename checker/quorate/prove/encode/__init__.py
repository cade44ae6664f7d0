"""From the typed model to formulas: `machine` runs bodies over symbolic `values`; `fixed` and `anysize` say what a
value is."""
