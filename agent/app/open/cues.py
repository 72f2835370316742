"""The config's words of what stands beside attack detection's models, and who looks for it."""

from agent.config import CameraConfig, FaceConfig
from agent.domain.access.cues import CueTerm, CueTerms
from agent.domain.skin.thermal_cue import AttackCue
from agent.vision.pad.beside import Beside
from agent.vision.pad.infrared import Aim, InfraredEye


def cue_terms(face: FaceConfig) -> CueTerms:
    """What follows from each."""
    return CueTerms(
        CueTerm(AttackCue(face.liveness_cue), face.liveness_threshold),
        CueTerm(AttackCue(face.screen_cue), face.screen_threshold),
        CueTerm(AttackCue(face.ir_cue), face.ir_threshold),
    )


def eye_of(camera: CameraConfig) -> InfraredEye:
    """What looks through an infrared camera."""
    aim = camera.aim
    return InfraredEye(Aim(aim.offset_x, aim.offset_y, aim.scale))


def open_beside(face: FaceConfig, eye: InfraredEye | None) -> Beside:
    """What one camera's frames are looked at for; ``eye`` None where no infrared one stands."""
    return Beside(
        liveness=face.liveness_cue != "off",
        screen=face.screen_cue != "off",
        infrared=eye if face.ir_cue != "off" else None,
    )
