"""How the backend speaks to PostgreSQL."""

from typing import Any

import psycopg

from backend.failures import MissingError

Connection = psycopg.Connection[tuple[Any, ...]]


def connect(dsn: str, *, read_only: bool = False, by_index: bool = False) -> Connection:
    """A connection on which each statement commits that stands in no transaction; times are UTC.

    ``by_index`` is for work on a few rows of large tables, named by arrays and temporary tables:
    those have no statistics, and PostgreSQL would read the large ones whole.

    Raises:
        MissingError: the database does not answer.
    """
    options = "-c timezone=UTC -c idle_in_transaction_session_timeout=60s"
    if read_only:
        options += " -c default_transaction_read_only=on -c statement_timeout=30s"
    if by_index:
        options += " -c enable_hashjoin=off -c enable_mergejoin=off"
    try:
        return psycopg.connect(
            dsn, autocommit=True, options=options, connect_timeout=10, application_name="backend"
        )
    except psycopg.OperationalError as error:
        # libpq's words name the host and what failed, and never the password.
        raise MissingError(f"the database does not answer: {str(error).strip()}") from None
