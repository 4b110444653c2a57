"""Build and test the iOS app's Swift without a Mac, and check what only a Mac can build."""
