"""What ``scripts/rig test`` proves: each proof a function, in the order in which they are run."""
