"""The running program: command line, settings, assembly, dispatcher, front ends and background loops."""
