"""Who is who, where they talk, and what they did."""
