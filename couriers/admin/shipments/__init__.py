"""The admin pages of shipments, and what operators decide about them."""
