"""What one frame showed of the people before a camera, and the one thing to tell them.

The first row that fits; whoever is nearest is told what they can do before they are told that they
are not alone, and nobody is told anything where nobody is.

    near enough   its own face is in the way (covered, turned, dark, ...)   that
                  others stand as near, or wait behind                      several
                  else                                                      nothing: it is judged
    nobody near   a face in the zone that is too small                      too_far
                  a part of a face, or one from the side                    covered, turned
                  something moves in a picture without light, or too much   too_dark, too_bright
                  else                                                      nothing
"""

from dataclasses import dataclass

from agent.domain.sight.hindrance import Hindrance


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame.

    ``near`` says that a face near enough was found in the zone; ``own`` what is in the way of it;
    ``several`` that others stand as near or wait; ``far`` that a face too small stands in the zone;
    ``partly`` what a face found in part only suffers from; ``unlit`` what the picture does while
    something moves in it.
    """

    near: bool = False
    own: Hindrance | None = None
    several: bool = False
    far: bool = False
    partly: Hindrance | None = None
    unlit: Hindrance | None = None

    @property
    def hindrance(self) -> Hindrance | None:
        """By the table above; total."""
        if self.near:
            return self.own or (Hindrance.SEVERAL if self.several else None)
        if self.far:
            return Hindrance.TOO_FAR
        return self.partly or self.unlit
