// CUDA's language as far as the kernels use it, for an ordinary C++ compiler: one thread after another.
#pragma once
#include <cmath>
#include <cstdlib>
#include <cstdio>
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

// Half precision in software, to the nearest and even: not every compiler has the type.
static inline unsigned shim_bits(float value) { unsigned bits; std::memcpy(&bits, &value, 4); return bits; }
static inline float shim_float(unsigned bits) { float value; std::memcpy(&value, &bits, 4); return value; }

static inline unsigned short shim_half_bits(float value) {
    const unsigned sign = shim_bits(value) >> 16 & 0x8000u;
    unsigned bits = shim_bits(value) & 0x7fffffffu;
    if (bits > 0x7f800000u) return sign | 0x7e00u;                                           // not a number
    if (bits >= 0x477ff000u) return sign | 0x7c00u;                                          // too large
    if (bits < 0x38800000u) return sign | (shim_bits(shim_float(bits) + 0.5f) - 0x3f000000u);  // subnormal
    bits += 0xc8000fffu + (bits >> 13 & 1u);
    return sign | bits >> 13;
}
static inline float shim_of_half_bits(unsigned short half) {
    const unsigned sign = (half & 0x8000u) << 16, exponent = half & 0x7c00u, rest = (half & 0x7fffu) << 13;
    if (exponent == 0x7c00u) return shim_float(sign | 0x7f800000u | rest);
    if (exponent == 0u) return shim_float(sign | shim_bits(shim_float(rest + 0x38800000u) - shim_float(0x38800000u)));
    return shim_float(sign | (rest + 0x38000000u));
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

// What a kernel takes, for the launcher to check: CUDA does not. A letter and a size in bytes each: p is a pointer, and
// the size that of what it points to; i a whole number; f a float; s a struct.
template <class T> static char* shim_kind(char* at) {
    using Bare = std::remove_cv_t<T>;
    if constexpr (std::is_pointer_v<Bare>) return at + std::sprintf(at, "p%d ", (int)sizeof(std::remove_pointer_t<Bare>));
    const char kind = std::is_integral_v<Bare> ? 'i' : std::is_floating_point_v<Bare> ? 'f' : 's';
    return at + std::sprintf(at, "%c%d ", kind, (int)sizeof(Bare));
}
template <class... P> static const char* shim_kinds(void (*)(P...)) {
    static char kinds[8 * sizeof...(P)];
    char* at = kinds;
    ((at = shim_kind<P>(at)), ...);
    return kinds;
}
