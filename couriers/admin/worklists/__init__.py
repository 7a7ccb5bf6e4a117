"""The work lists, and what is done from them: actions on shipments, one or many, and their jobs."""
