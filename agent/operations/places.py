"""What operations call their files in the state folder; apart from them, to be had lightly."""

OUTPUTS_RECORD = "outputs.json"
"""The outputs that an agent drives."""
TRUST_FOLDER = "trust"
"""The installed trust lists."""
VOICES_FOLDER = "voices"
"""What the gate says."""
