"""Speed, measured. Nothing here is asserted: machines differ."""
