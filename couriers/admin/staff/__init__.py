"""What members of staff may see and did: their companies, and the audit trail."""
