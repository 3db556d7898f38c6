"""What outlives the process. Stores take and give models, hold no business rule and never commit."""
