// Frames of a decoder: 8-bit luma, and chroma for every 2 × 2 pixels (4:2:0), which lies at the left of them.
#pragma once
#include "sample.cuh"

struct Matrix {  // codes of one system from those of another: row · (a, b, c, 1)
    float row[3][4];
};

struct Yuv {
    int height, width;  // even
    int pitch;          // bytes from row to row
    int planar;         // 1: U, then V, each by itself (yuv420p); 0: U and V in turn (NV12)
};

// The place of a chroma value below the luma. part: 0 = U, 1 = V.
__device__ inline long long chroma_at(const Yuv& yuv, int y, int x, int part) {
    const long long luma = (long long)yuv.height * yuv.pitch, half = yuv.pitch / 2;
    return yuv.planar ? luma + part * (yuv.height / 2) * half + y * half + x : luma + (long long)y * yuv.pitch + 2 * x + part;
}

__device__ inline float row_of(const Matrix& matrix, int row, float a, float b, float c) {
    const float* m = matrix.row[row];
    return m[0] * a + m[1] * b + m[2] * c + m[3];
}
