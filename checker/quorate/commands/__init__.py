"""The commands of `quorate`, one module each; every module offers `command`. Modules with an underscore are shared by
several."""
