"""What networks and files are fed with, reproducibly: seeds, images, labels."""
