"""Frozen dataclasses and errors that are passed between the layers. Imports no other part of the program."""
