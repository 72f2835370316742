"""Where one must stand to be looked at, and how small faces are to be looked for."""

from dataclasses import dataclass

from agent.domain.sight.image import Image
from agent.domain.sight.track import Box

_BOX_WAVERS = 0.9
_NEAR = 1.8


@dataclass(frozen=True, slots=True)
class Zone:
    """The approach zone in fractions of the frame; ``min_face_px`` is how near one must stand."""

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0
    min_face_px: int = 80

    def holds(self, box: Box, frame_width: int, frame_height: int) -> bool:
        """Whether the middle of ``box`` lies in the zone, and near enough."""
        return self.shows(box, frame_width, frame_height) and box.width >= self.min_face_px

    def shows(self, box: Box, frame_width: int, frame_height: int) -> bool:
        """Whether the middle of ``box`` lies in the zone, however far it stands."""
        across, down = box.middle
        x, y = across / frame_width, down / frame_height
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def part(self, image: Image) -> Image:
        """What of an image lies in it."""
        height, width = image.shape[:2]
        top, left = int(self.y * height), int(self.x * width)
        bottom, right = (self.y + self.height) * height, (self.x + self.width) * width
        return image[top : max(round(bottom), top + 1), left : max(round(right), left + 1)]


def search_widths(min_face_px: int, followed_px: int | None = None) -> tuple[int, ...]:
    """The smallest faces to look for, in turn, in pixels.

    A cascade's time goes into the small faces: those at little more than half the distance are
    found in a third of it. So they come first, unless the face that is followed stands too far to
    be among them. Boxes waver from frame to frame, so each search reaches a little below its mark.
    """
    mark_px = _NEAR * min_face_px
    near, far = (round(width * _BOX_WAVERS) for width in (mark_px, min_face_px))
    return (near, far) if followed_px is None or followed_px > mark_px else (far,)
