"""The Amazon reconciliation kit."""
