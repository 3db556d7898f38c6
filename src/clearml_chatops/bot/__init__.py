"""The running process: command line, settings, composition, dispatcher, front ends, background loops."""
