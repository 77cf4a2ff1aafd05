"""Every `.cu` file as NVIDIA's compiler sees it, for the GPUs from Turing to Blackwell. No GPU is needed."""

from __future__ import annotations

import pytest
from pullfocus.kernels.cuda.device import OPTIONS
from pullfocus.kernels.cuda.launch import files, source_of
from pullfocus.kernels.cuda.refocus import DEEP

from . import nvrtc
from .cuda_shim.launcher import KERNEL

ARCHITECTURES = (75, 86, 90, 120)
FOR_16_BITS = {"cut.cu", "fill.cu", "blur.cu", "compose.cu"}  # compiled for these too, on one architecture


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is not here; pip install nvidia-cuda-nvrtc")
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids="sm_{}".format)
@pytest.mark.parametrize("file", files())
def test_nvrtc_compiles(file: str, architecture: int) -> None:
    code = source_of(file)
    names = KERNEL.findall(code)
    assert names
    variants = [(), (DEEP,)] if architecture == 90 and file in FOR_16_BITS else [()]
    for defines in variants:
        options = (*OPTIONS, f"--gpu-architecture=sm_{architecture}", *(f"-D{define}" for define in defines))
        machine_code = nvrtc.compiled(code, options)
        assert machine_code.startswith(b"\x7fELF")
        assert all(name.encode() in machine_code for name in names)


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is not here; pip install nvidia-cuda-nvrtc")
def test_what_is_not_cuda_is_refused_with_the_compilers_words() -> None:
    with pytest.raises(AssertionError, match="undefined"):
        nvrtc.compiled("__global__ void f(int* x) { *x = nowhere; }", ("--gpu-architecture=sm_90",))
