"""Why a broker is not connected, in words and with the fix, from what the socket or TLS raised."""

import socket
import ssl
from datetime import UTC, datetime

_EXPIRED, _NOT_YET = 10, 9
_UNKNOWN = (2, 18, 19, 20, 21)
_NAMES = (62, 64)
"""X509_V_ERR_* of OpenSSL (x509_vfy.h)."""

_ALERTS = {
    "CERTIFICATE_REQUIRED": "the broker wants this kiosk's certificate: name cert_file and"
    " key_file in [broker]",
    "UNKNOWN_CA": "the broker does not know the authority of this kiosk's certificate (cert_file)",
    "CERTIFICATE_EXPIRED": "the broker says that this kiosk's certificate (cert_file) has expired",
    "CERTIFICATE_REVOKED": "the broker says that this kiosk's certificate (cert_file) is revoked",
    "BAD_CERTIFICATE": "the broker refuses this kiosk's certificate (cert_file)",
    "HANDSHAKE_FAILURE": "the broker and this kiosk have no kind of TLS in common, or it wants"
    " this kiosk's certificate (cert_file)",
    "PROTOCOL_VERSION": "the broker speaks no TLS 1.2 or later",
    "UNSUPPORTED_PROTOCOL": "the broker speaks no TLS 1.2 or later",
    "WRONG_VERSION_NUMBER": "what answers there speaks no TLS: look at port in [broker]",
}
"""By a part of OpenSSL's reason."""


def why_not_connected(error: OSError, host: str, port: int) -> str:
    """One sentence for whoever has to mend it; nothing of what the other side sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error, host)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        for part, words in _ALERTS.items():
            if part in reason:
                return words
        return f"TLS with {host} failed ({reason.lower().replace('_', ' ') or 'no reason given'})"
    if isinstance(error, socket.gaierror):
        return f"no address is known of {host}: look at host in [broker], and at the network's DNS"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {host}, port {port}"
    if isinstance(error, TimeoutError):
        return f"{host}, port {port}, does not answer"
    if isinstance(error, ConnectionResetError):
        return (
            f"{host}, port {port}, broke off at the first word: where [broker] has a ca_file, TLS"
            " must be spoken there, and else not"
        )
    if error.strerror:
        return f"{host}, port {port}, cannot be reached: {error.strerror.lower()}"
    return f"{host}, port {port}, cannot be reached"


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> str:
    code = error.verify_code
    if code == _NOT_YET:
        now = datetime.now(UTC)
        return (
            "the broker's certificate is not valid yet: this kiosk's clock says"
            f" {now:%Y-%m-%d}; where that is wrong, set the clock"
        )
    if code == _EXPIRED:
        return "the broker's certificate has expired, or this kiosk's clock is ahead: renew it"
    if code in _NAMES:
        return f"the broker's certificate is not for {host}: look at host in [broker]"
    if code in _UNKNOWN:
        return "the broker's certificate is from an authority that ca_file does not hold"
    return f"the broker's certificate is not accepted ({error.verify_message})"
