"""What imitates a server, and knows nothing of Aurora."""
