"""The toy courier: the plug-in that the guide builds, and its stand-in, in three forms."""
