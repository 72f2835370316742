"""A face from a film, the clock of a board without one, and the loudspeaker."""

import time
from pathlib import Path

import cv2
import numpy as np

from emulated.proofs.kiosk import BUTTON, CONFIG, DOOR, SkippedError, prove
from emulated.proofs.run import Run

WIDTH, HEIGHT, FPS = 640, 360, 5
_FACE = "/opt/rig/film.avi"


def film(photograph: Path, out: Path) -> Path:
    """A film of four seconds of somebody who stands there, of one photograph of them.

    They move a little and the picture has a camera's noise: a frame twice the same would be a
    camera that hangs.
    """
    picture = cv2.imread(str(photograph))
    if picture is None:
        raise SkippedError(f"{photograph} is no picture")
    scale = HEIGHT / picture.shape[0]
    person = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    person = person[:, : WIDTH - 40]
    noise = np.random.default_rng(1)
    writer = cv2.VideoWriter(
        str(out), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT), isColor=True
    )
    for number in range(4 * FPS):
        frame = np.full((HEIGHT, WIDTH, 3), 90, np.int16)
        left = (WIDTH - person.shape[1]) // 2 + round(6 * np.sin(number / 3))
        frame[:, left : left + person.shape[1]] = person
        frame += noise.integers(-4, 5, frame.shape, dtype=np.int16)
        writer.write(np.clip(frame, 0, 255).astype(np.uint8))
    writer.release()
    return out


def face(run: Run) -> str:
    """Somebody enrolled stands before the camera: granted, the door moves, the broker hears it."""
    kiosk = run.kiosk
    if run.photograph is None:
        raise SkippedError("no photograph was given: --face FILE")
    kiosk.agent("enrol ann --name Ann --category resident /opt/rig/photograph --json", 600)
    kiosk.at_rest()
    kiosk.setting(
        {
            '^source = "/dev/video0"': f'source = "{_FACE}"\\nloop = true',
            "^fps = .*": f"fps = {FPS}.0",
            '^factors = ."pass".': 'factors = ["face"]',
            "^.thermometer.": "[face]\\naccept_no_pad = true\\n\\n[thermometer]",
        }
    )
    try:
        took = kiosk.sh(f"/opt/rig/pin {DOOR} wait 1 60", 900)
        grant = _granted(run)
        kiosk.sh("systemctl stop gate-agent", 600)
        prove(kiosk.level(DOOR) == "0", "the door stayed released after the agent's end")
    finally:
        kiosk.sh(
            f"systemctl stop gate-agent; sed -i -E -e 's~^source = .*~source = \"/dev/video0\"~'"
            f" -e '/^loop = true/d' -e 's~^fps = .*~fps = 1.0~' {CONFIG};"
            " systemctl start gate-agent",
            600,
        )
        kiosk.ready()
    when = int(took) / 1000
    return f"{grant['subject']}: granted and the door moved {when:.1f} s after the agent was ready"


def _granted(run: Run) -> dict[str, str]:
    ends = time.monotonic() + 300
    while True:
        for one in run.subscriber.events():
            if one["type"] == "gate.access.granted":
                return one
        prove(time.monotonic() < ends, "the broker heard of no grant")
        time.sleep(1)


def clock(run: Run) -> str:
    """A boot in 1970: the gate works and doubts its clock; set, it believes it."""
    kiosk = run.kiosk
    kiosk.guest.cut()
    kiosk.boot("rig.date=60")
    year = kiosk.sh("date +%Y")
    prove(int(year) < 2001, f"the guest's clock says {year}")
    before = kiosk.agent("clock show --json")[0]
    kiosk.pressed(BUTTON, DOOR, "1")
    kiosk.sh(f"date -s @{int(time.time())}")
    ends = time.monotonic() + 240
    while (after := kiosk.agent("clock show --json")[0])["state"] != "settled":
        prove(time.monotonic() < ends, f"the clock was set, and is {after}")
        time.sleep(2)
    kiosk.sh(f"/opt/rig/pin {DOOR} wait 0 40", 600)
    kiosk.at_rest()
    return f"in {year} {before['state']}, and the exit button worked; set: {after['state']}"


def voice(run: Run) -> str:
    """What the gate says is heard at the other end of the kernel's loopback sound card."""
    kiosk = run.kiosk
    kiosk.sh(
        "mkdir -p /run/voice/en && cd /run/voice/en && python3 -c 'import wave, math, struct;"
        ' w = wave.open("granted.wav", "wb"); w.setparams((1, 2, 16000, 0, "NONE", ""));'
        " tone = (int(9000 * math.sin(i / 6)) for i in range(16000));"
        ' w.writeframes(b"".join(struct.pack("<h", one) for one in tone))'
        "' && chmod -R a+rX /run/voice"
    )
    kiosk.sh(
        f"grep -q '^.voice' {CONFIG} || printf '\\n[voice]\\nkind = \"aplay\"\\n"
        'access_point = "north-entry"\\nlanguages = ["en"]\\ndevice = "plughw:Loopback,0,0"\\n\''
        f" >> {CONFIG}"
    )
    kiosk.sh("/opt/rig/agent voice prepare --from /run/voice --language en; true")
    kiosk.sh(
        "(timeout 60 arecord -q -D plughw:Loopback,1,0 -f S16_LE -r 16000 -c 1 -d 8"
        " /run/heard.wav &); sleep 2; /opt/rig/agent voice say granted; sleep 9",
        600,
    )
    loudest = int(
        kiosk.sh(
            'python3 -c \'import wave, array; w = wave.open("/run/heard.wav");'
            ' print(max(map(abs, array.array("h", w.readframes(w.getnframes())))))'
            "'"
        ).split()[-1]
    )
    prove(loudest > 2000, f"the loudest sample that was heard is {loudest}")
    return f"heard, the loudest sample {loudest}"
