"""An emulated Raspberry Pi: ``scripts/rig``. docs/rig.md has the drawing of its parts."""
