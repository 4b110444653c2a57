"""The app's dex on Android's own runtime, built from Debian's sources of it."""
