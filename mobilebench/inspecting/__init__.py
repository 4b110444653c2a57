"""What a saved file holds, and where its operations could run."""
