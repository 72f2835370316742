"""Health certificates and the trust lists they are judged by."""
