"""Holders, what they present, and why they are denied."""
