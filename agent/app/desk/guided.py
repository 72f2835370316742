"""Takes the photographs of an enrolment at the kiosk's own camera, or one named in its stead.

The loop is thin: a frame is looked at, ``operations.people.guide`` says what it means, and whoever
watches is told. Frames are in memory only; what is stored is what any enrolment stores, and no
photograph, whatever the config keeps otherwise.
"""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from agent.app.open.cameras import open_camera, open_source
from agent.app.open.engine import open_engine
from agent.app.open.enrolment import store_enrolment
from agent.app.open.files.keys import key_ring
from agent.app.open.files.running import agent_runs
from agent.app.open.files.stores import Key, open_registry, read_registry
from agent.app.open.site import Site
from agent.config import load_config
from agent.domain.credential.holder import HolderId
from agent.domain.credential.near import did_you_mean
from agent.domain.sight.image import Frame, Image
from agent.errors import EnrolmentRefusedError, RefusedError, UnavailableError
from agent.operations.people.enrol import (
    Enrolment,
    EnrolmentRequest,
    holder_of,
)
from agent.operations.people.guide import Guide, Look, Step, advance, expire
from agent.operations.people.photographs import Photograph
from agent.ports import Camera
from agent.vision.face.acquire import BYSTANDER
from agent.vision.face.engine import FaceEngine
from agent.vision.face.pose import Pose, pose_of
from agent.vision.face.quality import ENROLMENT, Quality, measure, shortfall

_READ_TIMEOUT_S = 1.0
_BRIGHT = 170.0
"""A mean grey value above which a face without contrast is one with too much light."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame as the guide was told of it; without a face there is no crop and no quality."""

    look: Look
    quality: Quality | None = None
    pose: Pose | None = None
    crop: Image | None = field(default=None, repr=False)


Watch = Callable[[Guide, Guide, Seen | None], None]
"""Is told of each frame: the guidance before and after it, and what it showed."""


def enrol_at_camera(
    site: Site,
    request: EnrolmentRequest,
    camera: Callable[[], contextlib.AbstractContextManager[Camera]],
    timeout_s: float,
    watch: Watch,
    *,
    by: str,
    now_s: Callable[[], float] = monotonic,
) -> tuple[Enrolment, int]:
    """Enrol by three guided photographs; also how many of them do not show the turn asked for.

    Whatever can be refused is refused before anybody stands there.

    Raises:
        EnrolmentRefusedError: with its reason and fix; ``timed_out`` among them.
        KeyUnavailableError: there is no key to seal with.
        ModelPackError: the pack is not installed.
        UnavailableError: the camera is not there, or sends nothing.
        StoreError: the registry is locked, damaged or not writable.
    """
    key_ring(site)
    with read_registry(site, Key.IF_ANY) as registry:
        holder_of(request, registry.holder(HolderId(request.id)))
    engine = open_engine(site.state, site.face.pack, site.face.threads)
    with camera() as opened:
        photographs, settled = take_photographs(opened, engine, timeout_s, watch, now_s)
    with open_registry(site, Key.NEEDED) as registry:
        holder_of(request, registry.holder(HolderId(request.id)))
        made = store_enrolment(site, registry, engine, request, photographs, by=by)
    return made, settled


@contextlib.contextmanager
def kiosk_camera(
    site: Site, config: Path | None, wanted: str | None, source: str | None
) -> Iterator[Camera]:
    """The config's camera of the id ``wanted``, its first where that is None, or ``source``.

    Raises:
        RefusedError: ``agent_runs``; ``no_camera``: there is no config, or no such camera in it.
        UnavailableError: it is not there.
    """
    if source is not None:
        opened = open_source(source)
    else:
        if config is None:
            message = "which camera? There is no config\nFix: --config FILE, or --camera-source"
            raise RefusedError("no_camera", message)
        file = load_config(config)
        found = [one for one in file.config.camera if wanted in (None, one.id)]
        if not found:
            known = ", ".join(one.id for one in file.config.camera) or "none"
            near = did_you_mean(str(wanted), [one.id for one in file.config.camera])
            message = f"there is no camera {wanted!r} in the config{near}\nFix: one of {known}"
            raise RefusedError("no_camera", message)
        if agent_runs(site.state):
            raise RefusedError(
                "agent_runs",
                f"the running agent has the camera {found[0].id}\n"
                "Fix: systemctl stop gate-agent, enrol, and start it again; or another camera:"
                " --camera-source /dev/video1",
            )
        opened = open_camera(file, found[0])
    with contextlib.closing(opened):
        yield opened


def take_photographs(
    camera: Camera,
    engine: FaceEngine,
    timeout_s: float,
    watch: Watch,
    now_s: Callable[[], float] = monotonic,
) -> tuple[list[Photograph], int]:
    """Three photographs as the guide takes them, and how many show no turn.

    Raises:
        EnrolmentRefusedError: ``timed_out``.
        UnavailableError: the camera sends nothing, or its film ended.
    """
    guide, before = Guide(timeout_s), 0
    best: Seen | None = None
    photographs: list[Photograph] = []
    digests: set[int] = set()
    while not guide.step.over:
        frame = camera.read(_READ_TIMEOUT_S)
        was = guide
        if frame is None:
            raise _ended(guide)
        digest = zlib.crc32(frame.image.tobytes())
        seen = look_at(frame, engine, differs=digest not in digests and digest != before)
        before = digest
        guide = advance(expire(guide, now_s()), seen.look)
        if len(guide.taken) > len(was.taken):
            taken = seen if guide.taken[-1] == seen.look.number else best
            assert taken is not None
            photographs.append(_photograph(taken, was.step, engine))
            digests.add(digest)
            best = None
        elif guide.best is None:
            best = None
        elif guide.best.number == seen.look.number:
            best = seen
        watch(was, guide, seen)
    if guide.step is Step.TIMED_OUT:
        said = f"{len(photographs)} of {_WANTED} photographs in {timeout_s:.0f} s; nothing is kept"
        fix = f"again, with --timeout S for more time; what was missing last: {guide.hint.value}"
        raise EnrolmentRefusedError("timed_out", f"{said}\nFix: {fix}")
    return photographs, guide.settled


def look_at(frame: Frame, engine: FaceEngine, *, differs: bool) -> Seen:
    """What one frame shows of the one face that matters."""
    faces = engine.detect(frame.image)
    located = None
    for face in faces:
        located = engine.locate(frame.image, face)
        if located is not None:
            break
    if located is None or located.landmarks is None:
        return Seen(Look(frame.number, frame.captured_s, "no_face", differs=differs))
    near = [one for one in faces if one.box.width >= BYSTANDER * located.box.width]
    crop = engine.crop(frame.image, located)
    quality = measure(located, crop)
    short = "several_faces" if len(near) > 1 else shortfall(quality, ENROLMENT)
    if short == "low_contrast" and float(crop.mean()) > _BRIGHT:
        short = "too_bright"
    pose = pose_of(located.landmarks, engine.manifest.landmarks.kind)
    look = Look(
        frame.number,
        frame.captured_s,
        short,
        quality.sharpness,
        None if pose is None else pose.yaw_deg,
        None if pose is None else pose.pitch_deg,
        differs,
    )
    return Seen(look, quality, pose, crop)


_WANTED = 3


def _photograph(seen: Seen, step: Step, engine: FaceEngine) -> Photograph:
    assert seen.crop is not None
    assert seen.quality is not None
    figures = {**seen.quality.as_figures(), "step": step.value}
    if seen.pose is not None:
        figures |= {"yaw_deg": seen.pose.yaw_deg, "pitch_deg": seen.pose.pitch_deg}
    _, reference = engine.templates(seen.crop)
    return Photograph(f"frame {seen.look.number}", reference, figures)


def _ended(guide: Guide) -> UnavailableError:
    said = f"the camera's film ended after {len(guide.taken)} of {_WANTED} photographs"
    return UnavailableError(said, "a longer film, or loop = true; nothing is kept")
