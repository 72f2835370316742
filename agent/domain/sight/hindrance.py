"""Why a face, or a code, that is there cannot be judged: what whoever shows it could do better."""

from enum import StrEnum


class Hindrance(StrEnum):
    """The one thing in the way of a frame; each can be done as its name says."""

    TOO_FAR = "too_far"
    SEVERAL = "several"
    TURNED = "turned"
    COVERED = "covered"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    CODE_UNREAD = "code_unread"
