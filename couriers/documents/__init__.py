"""The documents of shipments: checked, stored encrypted, and fetched where they came as a link."""
