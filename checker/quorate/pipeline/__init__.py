"""Quorate in a team's pipeline: what a project wants checked, what was found before, and what has changed since."""
