"""Why an access point stays secured: one reason a decision."""

from enum import StrEnum


class Reason(StrEnum):
    """A denial's reason; the value is the word in events and traces.

    The first six are ONVIF's (Access Control service, AccessDenied); the rest are ours.
    """

    CREDENTIAL_NOT_ENABLED = "CredentialNotEnabled"
    CREDENTIAL_NOT_ACTIVE = "CredentialNotActive"
    CREDENTIAL_EXPIRED = "CredentialExpired"
    NOT_PERMITTED_AT_THIS_TIME = "NotPermittedAtThisTime"
    UNAUTHORIZED = "Unauthorized"
    OTHER = "Other"

    NO_MATCH = "NoMatch"
    AMBIGUOUS = "Ambiguous"
    PRESENTATION_ATTACK = "PresentationAttack"
    CREDENTIAL_FORGED = "CredentialForged"
    CREDENTIAL_REVOKED = "CredentialRevoked"
    CREDENTIAL_REPLAYED = "CredentialReplayed"
    FACTOR_MISSING = "FactorMissing"
    HOLDER_MISMATCH = "HolderMismatch"
    HEALTH_CERTIFICATE_INVALID = "HealthCertificateInvalid"
    ELEVATED_TEMPERATURE = "ElevatedTemperature"
    ANTI_PASSBACK = "AntiPassback"
    SENSOR_FAULT = "SensorFault"
    CLOCK_UNTRUSTED = "ClockUntrusted"
    LOCKED_DOWN = "LockedDown"


ONVIF_REASONS = frozenset(
    {
        Reason.CREDENTIAL_NOT_ENABLED,
        Reason.CREDENTIAL_NOT_ACTIVE,
        Reason.CREDENTIAL_EXPIRED,
        Reason.NOT_PERMITTED_AT_THIS_TIME,
        Reason.UNAUTHORIZED,
        Reason.OTHER,
    }
)
