"""WebRTC: the connections to browsers, and the one encoder that feeds them all."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from functools import partial
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from ...kernels.errors import InputError
from ..frame import Rendered
from .h264 import H264Encoder, PacketTrack
from .latest import Latest

LONGEST_OFFER = 50_000  # characters
KEY_EVERY_S = 2.0  # after a loss that nothing else mends, so soon is the picture whole again


class Peers:
    """Browsers that are connected, or about to be."""

    def __init__(self, frames: Latest[Rendered], executor: Executor, hosts: list[str]) -> None:
        """hosts: IP addresses at which browsers may connect; no server outside is asked how we are seen."""
        self._frames, self._executor, self._hosts = frames, executor, hosts
        self._tracks: dict[RTCPeerConnection, PacketTrack] = {}
        self._any = asyncio.Event()
        self._key_wanted = False

    async def answer(self, offer: str) -> tuple[RTCPeerConnection, str]:
        """A connection, and the SDP that answers a browser's. Raises InputError."""
        if len(offer) > LONGEST_OFFER:
            raise InputError(f"got an offer of {len(offer)} characters, expected up to {LONGEST_OFFER}")
        connection, track = RTCPeerConnection(RTCConfiguration(iceServers=[])), PacketTrack(self._ask_key)
        connection.add_listener("connectionstatechange", partial(self._on_state, connection))
        self._prepare(connection, track)
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
        # aiortc raises whatever it runs into with a strange offer.
        except Exception as error:
            await connection.close()
            raise InputError(f"got an offer that cannot be answered ({error}), expected H.264 video") from error
        self._tracks[connection] = track
        self._any.set()
        return connection, connection.localDescription.sdp

    def _prepare(self, connection: RTCPeerConnection, track: PacketTrack) -> None:
        transceiver = connection.addTransceiver(track, direction="sendonly")
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([codec for codec in capabilities if codec.mimeType == "video/H264"])
        # aiortc has no setting for this: by itself it skips loopback, and opens ports on all other interfaces.
        ice: Any = transceiver.sender.transport.transport.iceGatherer
        gather = ice._connection.get_component_candidates

        def gather_ours(component: int, addresses: list[str], **more: Any) -> Any:  # noqa: ARG001
            return gather(component, self._hosts, **more)

        ice._connection.get_component_candidates = gather_ours

    async def _on_state(self, connection: RTCPeerConnection) -> None:
        if connection.connectionState in ("failed", "closed"):
            await self.close(connection)

    async def close(self, connection: RTCPeerConnection) -> None:
        self._tracks.pop(connection, None)
        if not self._tracks:
            self._any.clear()
        await connection.close()

    def _ask_key(self) -> None:
        self._key_wanted = True
        self._frames.repeat()  # the source may have no more for a while

    async def feed(self) -> None:
        """Encode the newest frame, over and over, while there is somebody to send it to."""
        encoder, number, loop, key_s = H264Encoder(), 0, asyncio.get_running_loop(), 0.0
        while True:
            await self._any.wait()
            number, rendered = await self._frames.after(number)
            key = self._key_wanted or loop.time() - key_s > KEY_EVERY_S
            if key:
                self._key_wanted, key_s = False, loop.time()
            packet = await loop.run_in_executor(self._executor, encoder.encode, rendered, key)
            for track in list(self._tracks.values()) if packet is not None else ():
                assert packet is not None
                track.put(packet)

    async def close_all(self) -> None:
        await asyncio.gather(*(self.close(connection) for connection in list(self._tracks)))
