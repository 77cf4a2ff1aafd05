"""Which clips of the media folder are kept, and how; which are refused, and why. `docs/files.md` shows the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kept:
    """frames: as many as can be decoded; beside: the streams beside the film; said: a note, in part."""

    frames: int
    beside: str
    said: str = ""


KEPT = {
    "-moviepy-video-with-dash-.mp4": Kept(5, ""),
    "alpha_vp9.webm": Kept(15, ""),
    "androidx__bbb_176x144_128kbps_15fps_h263.3gp": Kept(15, ""),
    "androidx__bear-vp9-odd-dimensions.webm": Kept(30, ""),
    "androidx__bt601.mov": Kept(30, "aac"),
    "androidx__dolbyVision-hdr.MOV": Kept(4, "aac", "the input is Dolby Vision; its base layer is kept"),
    "androidx__roadtrip-vp92-10bit.webm": Kept(72, ""),
    "androidx__sample_android_slow_motion.mp4": Kept(7, ""),
    "androidx__sample_fragmented.mp4": Kept(30, "aac"),
    "androidx__sample_gamma2.2.mp4": Kept(60, "aac"),
    "androidx__sample_portrait.mp4": Kept(30, "aac"),
    "androidx__sample_rotate_and_reflect.mp4": Kept(30, "aac"),
    "av1.mp4": Kept(15, ""),
    "bitflips_in_mdat.mp4": Kept(62, "aac", "broken frames of the input that were concealed"),
    "facebookresearch__01_dog.mp4": Kept(289, "aac, data"),
    "facebookresearch__04_coffee.mp4": Kept(287, "aac"),
    "fps120.mp4": Kept(63, ""),
    "gray.mp4": Kept(20, ""),
    "h264_aac_faststart.mp4": Kept(63, "aac"),
    "hevc_main10.mp4": Kept(20, ""),
    "intel-iot-devkit__bird.mkv": Kept(63, ""),
    "intel-iot-devkit__classroom.gif": Kept(45, ""),
    "intel-iot-devkit__eat.mkv": Kept(47, ""),
    "intel-iot-devkit__school.mkv": Kept(72, ""),
    "intel-iot-devkit__walk.mkv": Kept(89, ""),
    "interlaced_tff_h264.mp4": Kept(20, "", "interlaced frames of the input that were deinterlaced: 20"),
    "interlaced_tff_mpeg2.mpg": Kept(20, "", "interlaced frames of the input that were deinterlaced: 20"),
    "mdn__flower.webm": Kept(150, "vorbis"),
    "mdn__stream-of-water.mp4": Kept(90, "aac"),
    "meta-pytorch__frame_exceeds_screen.gif": Kept(1, ""),
    "meta-pytorch__nasa_13013_rotated.mp4": Kept(17, ""),
    "meta-pytorch__test_non_zero_start.mp4": Kept(12, ""),
    "meta-pytorch__testsrc2_mpeg4.mp4": Kept(1, ""),
    "meta-pytorch__testsrc2_odd_height_and_width_444.mp4": Kept(25, ""),
    "meta-pytorch__transparent.gif": Kept(1, ""),
    "mjpeg_yuvj422p.avi": Kept(20, ""),
    "moviepy__transparent.webm": Kept(150, "vorbis"),
    "name with space ünï.mp4": Kept(20, ""),
    "odd_641x359_h264_444.mp4": Kept(20, ""),
    "odd_641x359_vp9.webm": Kept(20, ""),
    "one_frame.mp4": Kept(1, ""),
    "prores4444_alpha.mov": Kept(4, ""),
    "rotate90_aac.mp4": Kept(63, "aac"),
    "tiny_64x48.gif": Kept(10, ""),
    "truncated_60pct_moov_first.mp4": Kept(27, "aac", "incomplete packets of the input: 1"),
    "vfr.mp4": Kept(31, ""),
}

# File name → what the one line must say.
REFUSED = {
    "androidx__invalid-bitstream.webm": "no frame can be decoded",
    "androidx__sample_audio_only.mp4": "holds no video",
    "audio_only.m4a": "holds no video",
    "moviepy__result.webm": "not a readable video",
    "text_not_video.mp4": "not a readable video",
    "truncated_60pct_no_moov.mp4": "not a readable video",
}


def rows() -> list[str]:
    """The lines of the table in `docs/files.md`."""
    kept = [f"| {n} | {k.frames} | {k.beside or '–'} | {k.said or '–'} |" for n, k in sorted(KEPT.items())]
    return [*kept, *(f"| {name} | refused | – | {why} |" for name, why in sorted(REFUSED.items()))]
