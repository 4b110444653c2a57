"""Build the Android app from pinned parts, without Gradle, and check what was built."""
