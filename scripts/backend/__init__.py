"""The community's side: an independent consumer of what kiosks publish, with PostgreSQL.

It knows the contract only: ``agent.domain.record``, ``agent.credentials`` and config/asyncapi.yaml.
"""
