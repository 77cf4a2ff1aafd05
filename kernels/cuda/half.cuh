// Half precision without NVIDIA's header, so that the kernels compile wherever the compiler is.
#pragma once
#include "index.cuh"

__device__ inline ushort half_of(float value) {
#ifdef CUDA_SHIM
    return shim_half_bits(value);
#else
    ushort bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
#endif
}

__device__ inline float of_half(ushort bits) {
#ifdef CUDA_SHIM
    return shim_of_half_bits(bits);
#else
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
#endif
}
