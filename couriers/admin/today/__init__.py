"""The first page of operators: doubts, work, health and figures."""
