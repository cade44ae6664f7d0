"""Induction and k-induction at fixed bounds: `claims` are the questions, one for each action and property."""
