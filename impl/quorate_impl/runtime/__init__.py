"""The driver for real: sockets, files, clocks and processes around a core."""
