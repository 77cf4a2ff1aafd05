// What blurred planes are kept as: light times coverage, and coverage. Half precision is fine enough for 8 bits, whose
// codes are thirty times as far apart; DEEP is for pictures of 16 bits.
#pragma once
#include "half.cuh"
#include "vectors.cuh"

#ifdef DEEP
typedef ushort Code;
typedef float Share;
typedef float4 Cell;
__device__ inline float share_in(const Share* at) { return *at; }
__device__ inline void keep_share(Share* at, float value) { *at = value; }
__device__ inline float4 cell_in(const Cell* at) { return *at; }
__device__ inline void keep_cell(Cell* at, float4 value) { *at = value; }
#else
typedef uchar Code;
typedef ushort Share;
struct alignas(8) Cell {
    ushort x, y, z, w;
};
__device__ inline float share_in(const Share* at) { return of_half(*at); }
__device__ inline void keep_share(Share* at, float value) { *at = half_of(value); }
__device__ inline float4 cell_in(const Cell* at) {
    const Cell held = *at;
    return make_float4(of_half(held.x), of_half(held.y), of_half(held.z), of_half(held.w));
}
__device__ inline void keep_cell(Cell* at, float4 v) { *at = {half_of(v.x), half_of(v.y), half_of(v.z), half_of(v.w)}; }

__device__ inline float4 bilinear(const Cell* grid, int wide, Between down, Between across) {
    const Cell *above = grid + down.first * wide, *below = grid + down.second * wide;
    return mixed(mixed(cell_in(above + across.first), cell_in(above + across.second), across.share),
                 mixed(cell_in(below + across.first), cell_in(below + across.second), across.share), down.share);
}
#endif

const int MOST_PLANES = 18;

struct Level {  // grids of many planes in one array, each where it begins; a plane of no height has none
    int start[MOST_PLANES], height[MOST_PLANES], width[MOST_PLANES];
};
