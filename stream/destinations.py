"""Where a network sink sends to: the address, and how FFmpeg is to speak there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ..engines.atomic import check_target
from ..kernels.errors import InputError
from .sink_names import PLAYLIST
from .urls import host_of

# Packets go out as they are made; FFmpeg would wait for a full buffer.
_AT_ONCE = {"flush_packets": "1"}
_HLS = {"hls_time": "1", "hls_list_size": "6", "hls_flags": "delete_segments+independent_segments+temp_file"}
HTTP_PORTS = {"http": 80, "https": 443}
UDP_PACKET_BYTES = 1316  # seven packets of MPEG-TS; more does not fit into one of Ethernet


@dataclass(frozen=True, slots=True)
class Destination:
    """url: as FFmpeg takes it, with whatever secret it holds. name: without. container: FFmpeg's name of the muxer."""

    url: str
    name: str
    container: str
    options: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_srt(self) -> bool:
        return self.url.startswith("srt:")

    @property
    def http_server(self) -> tuple[str, int] | None:
        """Host and port of what takes HLS over HTTP."""
        parts = urlsplit(self.url)
        if parts.scheme not in HTTP_PORTS or parts.hostname is None:
            return None
        return parts.hostname, parts.port or HTTP_PORTS[parts.scheme]


def destination_of(name: str, overwrite: bool) -> Destination:
    """What `--sink` asks for. Raises InputError."""
    if "://" not in name:
        path = Path(name)
        check_target(path, overwrite)
        return Destination(f"file:{path.absolute()}", name, "hls", _HLS)
    scheme, parts = name.partition("://")[0].lower(), _split(name)
    if parts is None or not parts.hostname:
        raise InputError(f"--sink {host_of(name)}: there is no host in it; expected {scheme}://HOST/…")
    match scheme:
        case "rtmp" | "rtmps":
            return Destination(name, host_of(name), "flv", {"flvflags": "no_duration_filesize", **_AT_ONCE})
        case "rtsp":
            return Destination(name, host_of(name), "rtsp", {"rtsp_transport": "tcp"})
        case "udp":
            size = "" if "pkt_size" in parts.query else f"{'&' if parts.query else '?'}pkt_size={UDP_PACKET_BYTES}"
            return Destination(name + size, host_of(name), "mpegts", _AT_ONCE)
        case "srt":
            return Destination(name, host_of(name), "mpegts", _AT_ONCE)
        case "http" | "https":
            if not parts.path.lower().endswith(PLAYLIST):
                raise InputError(
                    f"--sink {host_of(name)}: over HTTP goes HLS; expected an address that ends in {PLAYLIST}"
                )
            return Destination(name, host_of(name), "hls", {**_HLS, "method": "PUT"})
        case _:
            raise InputError(
                f"--sink {host_of(name)}: got {scheme}://, expected rtmp://, rtsp://, udp://, srt:// or http(s)://…{PLAYLIST}"
            )


def _split(url: str) -> SplitResult | None:
    """None for what is no URL, such as a bracket that is not closed."""
    try:
        return urlsplit(url)
    except ValueError:
        return None
