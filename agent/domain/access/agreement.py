"""What the frames of one presentation agree on.

One frame is never enough: a blurred or half-turned face may come near a stranger's reference once,
three frames of it rarely, and a frozen camera shows one frame for ever. A face is agreed on when

    frames of different capture time and content     >= ``frames``
    from the first of them to the last               >= ``span_s``
    all of them name the same holder, none in the track names another above the threshold
    the newest one names them by itself: who stands there now is who was recognised

A frame names a holder by its own score, or, where it is too poor for that but surely not somebody
else's, by that of the track's best frames together. The newest has to do it alone, so that nobody
who steps into another's place gains by what came before.

A track that reaches no such agreement is judged by what it has once its time is up.
"""

from dataclasses import dataclass, replace

from agent.domain.access.evidence import FaceEvidence
from agent.domain.credential.holder import HolderId
from agent.domain.sight.cues import together
from agent.domain.sight.pad import over_frames
from agent.domain.sight.track import FaceSample, FaceTrack


@dataclass(frozen=True, slots=True)
class Requirements:
    """How much a face must show; ``margin`` is in score, to the best other holder.

    ``liveness``: a face that would open alone waits until it can be told whether its frames live,
    as long as any face waits; where it never can be told, that refuses nobody.
    """

    frames: int = 3
    span_s: float = 0.2
    freshness_s: float = 0.5
    margin: float = 0.03
    liveness: bool = False


def agree(track: FaceTrack, threshold: float, requirements: Requirements) -> FaceEvidence | None:
    """The evidence on which the track's frames agree, or None while they do not."""
    named = [sample for sample in track.samples if _names(sample, threshold)]
    holders = {sample.best.holder for sample in named if sample.best is not None}
    if len(holders) != 1 or not _above(track.samples[-1], threshold):
        return None
    holder = holders.pop()
    # By themselves first: poor frames that need the others only make the margin look small.
    for samples in ([one for one in named if _above(one, threshold)], named):
        evidence = _evidence(samples, holder, requirements)
        enough = evidence.frames >= requirements.frames and evidence.span_s >= requirements.span_s
        if enough and not evidence.ambiguous:
            return evidence
    return None


def conclude(track: FaceTrack, threshold: float, requirements: Requirements) -> FaceEvidence:
    """The evidence of a track whose time is up: agreement, or why there is none."""
    agreed = agree(track, threshold, requirements)
    if agreed is not None:
        return agreed
    samples = list(track.samples)
    named = [sample for sample in samples if _names(sample, threshold)]
    holders = {sample.best.holder for sample in named if sample.best is not None}
    if len(holders) > 1:
        return _evidence(named, None, requirements, ambiguous=True)
    if len(holders) == 1:
        only = _evidence(named, holders.pop(), requirements)
        now = _above(samples[-1], threshold)
        if only.ambiguous or only.frozen or (now and only.frames >= requirements.frames):
            return only
    return _evidence(samples, None, requirements)


def agree_claim(
    track: FaceTrack,
    claim: int,
    holder: HolderId,
    threshold: float,
    requirements: Requirements,
    *,
    final: bool = False,
) -> FaceEvidence | None:
    """The evidence that the track's face is ``holder``'s, whom the presentation ``claim`` names.

    The same frames and span as without a credential, and most of the frames compared must reach
    ``threshold``, the newest among them. None while that is open; where ``final``, evidence that
    names nobody instead.
    """
    compared = [s for s in track.samples if s.claim is not None and s.claim.claim == claim]
    above = [s for s in compared if s.claim is not None and s.claim.score >= threshold]
    evidence = _claimed(above, holder)
    enough = evidence.frames >= requirements.frames and evidence.span_s >= requirements.span_s
    if enough and len(above) * 2 > len(compared) and above[-1] is compared[-1]:
        return evidence
    if not final:
        return None
    frozen = _frozen(compared, requirements)
    return replace(_claimed(compared, None), frozen=frozen)


def against_claim(
    track: FaceTrack, claim: int, threshold: float, requirements: Requirements
) -> bool:
    """Whether the track is surely another person's than the one whom the credential names."""
    scores = [
        s.claim.score for s in track.samples if s.claim is not None and s.claim.claim == claim
    ]
    return len(scores) >= requirements.frames and max(scores) < threshold


def _claimed(samples: list[FaceSample], holder: HolderId | None) -> FaceEvidence:
    different = _different(samples)
    times = [sample.captured_s for sample in different]
    pads = [sample.pad_score for sample in samples if sample.pad_score is not None]
    return FaceEvidence(
        holder=holder if samples else None,
        score=max((s.claim.score for s in samples if s.claim is not None), default=None),
        margin=None,
        runner_up_score=None,
        frames=len(different),
        span_s=max(times) - min(times) if times else 0.0,
        newest_s=max((sample.captured_s for sample in samples), default=0.0),
        pad_score=over_frames(pads),
        cues=together([sample.cues for sample in samples]),
        claimed=True,
    )


def _frozen(samples: list[FaceSample], requirements: Requirements) -> bool:
    return len(samples) >= requirements.frames > len({s.content for s in samples})


def _names(sample: FaceSample, threshold: float) -> bool:
    """Whether it names its best candidate, by itself or with the best frames before it."""
    together = sample.best is not None and sample.fused is not None and sample.fused >= threshold
    return together or _above(sample, threshold)


def _above(sample: FaceSample, threshold: float) -> bool:
    return sample.best is not None and sample.best.score >= threshold


def _evidence(
    samples: list[FaceSample],
    holder: HolderId | None,
    requirements: Requirements,
    *,
    ambiguous: bool = False,
) -> FaceEvidence:
    different = _different(samples)
    best = max((s for s in samples if s.best is not None), key=_score, default=None)
    score = best.best.score if best is not None and best.best is not None else None
    runner_up = best.runner_up.score if best is not None and best.runner_up is not None else None
    margins = [
        s.best.score - s.runner_up.score
        for s in samples
        if s.best is not None and s.runner_up is not None
    ]
    margin = sorted(margins)[len(margins) // 2] if margins else None
    times = [sample.captured_s for sample in different]
    pads = [sample.pad_score for sample in samples if sample.pad_score is not None]
    return FaceEvidence(
        holder=holder,
        score=score,
        margin=margin,
        runner_up_score=runner_up,
        frames=len(different),
        span_s=max(times) - min(times) if times else 0.0,
        newest_s=max((sample.captured_s for sample in samples), default=0.0),
        ambiguous=ambiguous
        or (holder is not None and margin is not None and not margin >= requirements.margin),
        frozen=_frozen(samples, requirements),
        pad_score=over_frames(pads),
        cues=together([sample.cues for sample in samples]),
    )


def _score(sample: FaceSample) -> float:
    return sample.best.score if sample.best is not None else float("-inf")


def _different(samples: list[FaceSample]) -> list[FaceSample]:
    """The samples of different capture time and content, the first of each."""
    times: set[float] = set()
    contents: set[bytes] = set()
    kept = []
    for sample in samples:
        if sample.captured_s not in times and sample.content not in contents:
            times.add(sample.captured_s)
            contents.add(sample.content)
            kept.append(sample)
    return kept
