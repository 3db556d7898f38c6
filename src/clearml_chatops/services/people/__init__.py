"""People: accounts, identities on the platforms, conversations and the audit trail."""
