"""Symbols in a frame, by ever costlier passes."""
