// Sums of four values at once, and four values between their neighbours.
#pragma once
#include "sample.cuh"

__device__ inline float4 operator+(float4 a, float4 b) {
    return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}
__device__ inline float4 operator*(float a, float4 b) { return make_float4(a * b.x, a * b.y, a * b.z, a * b.w); }

__device__ inline float4 mixed(float4 a, float4 b, float share) { return (1.0f - share) * a + share * b; }

__device__ inline float4 bilinear(const float4* grid, int wide, Between down, Between across) {
    const float4 *above = grid + down.first * wide, *below = grid + down.second * wide;
    return mixed(mixed(above[across.first], above[across.second], across.share),
                 mixed(below[across.first], below[across.second], across.share), down.share);
}
