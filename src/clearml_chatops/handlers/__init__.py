"""One file per family of commands. A handler gets its service from the context, calls it, returns a Reply."""
