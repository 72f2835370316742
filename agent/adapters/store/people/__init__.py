"""The registry: holders, references, documents, whose passes are believed, what is removed."""
