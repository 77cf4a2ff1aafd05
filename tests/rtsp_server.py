"""A small RTSP server: what FFmpeg sends as RTP goes on to one player, over the player's own TCP connection."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

from .command import wait_for


class RtspServer(ThreadingTCPServer):
    """Sends FFmpeg's test pattern (160 × 120, 20 a second) to whoever plays it, until `stop`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        """folder: for the description of the stream."""
        super().__init__(("127.0.0.1", port), Session)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.transports: list[str] = []
        description = folder / "stream.sdp"
        description.unlink(missing_ok=True)
        self._ffmpeg = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=20",
             "-c:v", "libx264", "-tune", "zerolatency", "-g", "10", "-f", "rtp", "-sdp_file", str(description),
             f"rtp://127.0.0.1:{self.rtp.getsockname()[1]}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: description.exists() and "a=fmtp" in description.read_text())
        text = re.sub(r"m=video \d+", "m=video 0", description.read_text())
        self.sdp = "\r\n".join([*text.split("\n")[:-1], "a=control:track", ""]).replace("\r\r", "\r")
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def stop(self) -> None:
        """Also the players' connections."""
        self._ffmpeg.kill()
        self._ffmpeg.wait()
        self.rtp.close()
        self.shutdown()
        self.server_close()


class Session(StreamRequestHandler):
    server: RtspServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def handle(self) -> None:
        while (line := self.rfile.readline().decode()).strip():
            method = line.split()[0]
            headers: dict[str, str] = {}
            while header := self.rfile.readline().decode().strip():
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            self._answer(method, headers)
            if method == "PLAY":
                self._play()
                return

    def _answer(self, method: str, headers: dict[str, str]) -> None:
        more, body = ["Session: 1"], ""
        if method == "OPTIONS":
            more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"]
        elif method == "DESCRIBE":
            body = self.server.sdp
            more = ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            self.server.transports.append(headers["transport"])
            more.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        text = "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {headers['cseq']}", *more, "", ""])
        self.wfile.write((text + body).encode())

    def _play(self) -> None:
        try:
            while True:
                packet = self.server.rtp.recv(65535)
                self.wfile.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
        except OSError:
            return  # the player has gone, or the server stops
