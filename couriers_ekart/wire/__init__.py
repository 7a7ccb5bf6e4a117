"""HTTP to Ekart: client, tokens, outcomes and limits."""
