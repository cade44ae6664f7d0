"""What an author writes a protocol with, under plain CPython: types, containers, actions, properties. Knows no engine."""
