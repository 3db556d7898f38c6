"""What travels between the layers: frozen dataclasses and the errors. Imports nothing of ours."""
