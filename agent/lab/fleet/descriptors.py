"""How many descriptors a process may open, before a thousand connections find out."""

import resource
import sys

from agent.errors import UnavailableError

_BESIDE = 64
"""Beside the connections: files, pipes, libraries."""


def need_descriptors(connections: int) -> int:
    """Raise this process's own limit so far that ``connections`` fit; what it is then.

    Raises:
        UnavailableError: the system lets nobody open so many.
    """
    wanted = connections + _BESIDE
    soft, hard = (
        sys.maxsize if one == resource.RLIM_INFINITY else one
        for one in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    if soft >= wanted:
        return soft
    if hard < wanted:
        raise UnavailableError(
            f"{connections} connections need {wanted} descriptors, and {hard} are allowed",
            f"ulimit -n {wanted}; as a service: LimitNOFILE={wanted}",
        )
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    )
    return wanted
