"""Actions on booked shipments, their labels and their manifests."""
