"""Films and streams for cameras to look at, made here: a moving square over a gradient."""

import http.server
import socket
import threading
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 160, 120
Image = npt.NDArray[np.uint8]


def picture(number: int) -> Image:
    """A frame whose ``number`` can be read off it by ``number_in``."""
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    image[:, :, 0] = np.linspace(0, 80, WIDTH, dtype=np.uint8)
    x = 4 + (number * 8) % (WIDTH - 16)
    image[40:56, x : x + 8] = (0, 255, 255)
    return image


def number_in(image: Image) -> int:
    """Which ``picture`` this is, by the place of the square."""
    yellow = image[48, :, 2].astype(int)
    return int((np.flatnonzero(yellow > 128).mean() - 7.5) / 8 + 0.5)


def write_video(path: Path, *, frames: int, fps: float) -> Path:
    """A film of ``picture`` 0, 1, 2... in Motion JPEG."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(picture(number))
    writer.release()
    return path


class MotionJpeg:
    """A network camera: multipart JPEG over HTTP on a free loopback port, 25 frames a second."""

    def __init__(self, *, frames: int | None = None, hang: bool = False) -> None:
        """Ends after ``frames``; with ``hang`` it stays connected and says nothing more."""
        stopping = self._stopping = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                number = 0
                try:
                    while not stopping.wait(0.04) and (frames is None or number < frames):
                        _, jpeg = cv2.imencode(".jpg", picture(number))
                        body = jpeg.tobytes()
                        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
                        self.wfile.write(b"--frame\r\n" + head.encode() + body + b"\r\n")
                        number += 1
                    if hang:
                        stopping.wait()
                except OSError:
                    return  # the reader went away

            def log_message(self, *_: object) -> None:
                """Nothing: a test's output is its own."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it streams, with a user and a password as such addresses have them."""
        return f"http://porter:s3cret@127.0.0.1:{self.port}/live?token=s3cret"

    def close(self) -> None:
        """Stop the server and its streams."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)


def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
