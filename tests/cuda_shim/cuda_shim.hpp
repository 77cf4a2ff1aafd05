// CUDA's language as far as the kernels use it, for an ordinary C++ compiler: one thread after another.
#pragma once
#include <cmath>
#include <cstdlib>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#define CUDA_SHIM
#define __global__
#define __device__
#define __restrict__ __restrict

struct Dim3 { unsigned x, y, z; };
static Dim3 blockIdx, blockDim, threadIdx;

struct float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
static inline float2 make_float2(float x, float y) { return {x, y}; }
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
template <class T> static inline T atomicAdd(T* at, T value) { const T old = *at; *at += value; return old; }
static inline void __threadfence() {}

static inline unsigned short shim_half_bits(float value) {
    const _Float16 half = (_Float16)value;
    unsigned short bits;
    std::memcpy(&bits, &half, 2);
    return bits;
}
static inline float shim_of_half_bits(unsigned short bits) {
    _Float16 half;
    std::memcpy(&half, &bits, 2);
    return (float)half;
}

template <class... P, std::size_t... I>
static void shim_call(void (*kernel)(P...), void** arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<P>*>(arguments[I])...);
}

// As cuLaunchKernel: blocks, threads of a block, pointers to the arguments. backwards: the last thread goes first.
template <class... P>
static void shim_launch(void (*kernel)(P...), const unsigned* grid, const unsigned* block, void** arguments,
                        int backwards) {
    blockDim = {block[0], block[1], block[2]};
    const unsigned blocks = grid[0] * grid[1] * grid[2], threads = block[0] * block[1] * block[2];
    for (unsigned i = 0; i < blocks; i++) {
        const unsigned b = backwards ? blocks - 1 - i : i;
        blockIdx = {b % grid[0], b / grid[0] % grid[1], b / grid[0] / grid[1]};
        for (unsigned j = 0; j < threads; j++) {
            const unsigned t = backwards ? threads - 1 - j : j;
            threadIdx = {t % block[0], t / block[0] % block[1], t / block[0] / block[1]};
            shim_call(kernel, arguments, std::index_sequence_for<P...>{});
        }
    }
}
