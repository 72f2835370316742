"""The gate agent: a headless daemon that guards one kiosk of a community."""

import os

__version__ = "0.1.0"

# ONNX Runtime's wheels (1.29 and later, Linux too) send what they run, with names and hashes of the
# models and an id of the device, to their maker unless this is set before they are imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# OpenCV's own limit is a gigapixel, some 5 GB, and it is read once, when OpenCV is loaded. It holds
# for every format and against every way to write two sizes into one file.
os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = "50000000"
