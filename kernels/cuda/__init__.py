"""The kernels in CUDA C++ (`.cu` files beside this), on arrays of CuPy. The specification is `..api.Kernels`.

Pictures, depth, labels and K-Means' centres are on the GPU, and so are the results; nothing waits for the GPU unless
its docstring says so. `refocus` takes its few centres from main memory, as it does the lens.
"""

from .colour import YuvLayout, YuvSystem
from .kernels import CudaKernels
from .picture import DevicePicture, HostYuv, SpentPicture

__all__ = ["CudaKernels", "DevicePicture", "HostYuv", "SpentPicture", "YuvLayout", "YuvSystem"]
