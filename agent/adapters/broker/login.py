"""Whom this kiosk trusts, and by what the broker knows it: certificates or a password."""

import ssl
from pathlib import Path

from agent.adapters.secrets import exposed_mode
from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import UnavailableError


def tls_context(ca_file: Path, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later with this authority, and the kiosk's own certificate where it has one.

    Raises:
        UnavailableError: a file is missing, or is no such PEM file.
    """
    file = ca_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 asks for key identifiers, which a community's own small CA may leave out.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if cert_file is not None:
            file = cert_file
            context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        fix = "name PEM files in [broker]: ca_file, cert_file, key_file"
        raise UnavailableError(f"TLS: {file} cannot be used: {error}", fix) from error
    return context


def read_password(path: Path) -> str:
    """The broker's password from a file of mode 0600 or stricter.

    Raises:
        UnavailableError: it is missing, empty, or open to others.
    """
    try:
        mode = exposed_mode(path, path.stat())
        text = text_of(path.read_bytes()).strip("\r\n")
    except (OSError, NoTextError) as error:
        fix = f"write the password into {path} with mode 0600"
        raise UnavailableError(f"the broker's password file {path} cannot be read", fix) from error
    if mode is not None:
        raise UnavailableError(f"{path} is open to others (mode {mode:04o})", f"chmod 600 {path}")
    if not text:
        raise UnavailableError(f"{path} is empty", "write the broker's password into it")
    return text
