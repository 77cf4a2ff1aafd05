// Inverse depth brought into its range, value by value.
#include "index.cuh"

#define LARGEST 3.402823466e38f

extern "C" __global__ void finite_values(const float* __restrict__ from, int size, float* __restrict__ to) {
    const int i = thread_x();
    if (i >= size) return;
    const float value = from[i];
    to[i] = value == value ? fminf(fmaxf(value, -LARGEST), LARGEST) : 0.0f;
}

// range: its low end, and how far the other lies above.
extern "C" __global__ void stretched(const float* __restrict__ from, int size, const float* __restrict__ range,
                                     float* __restrict__ to) {
    const int i = thread_x();
    if (i < size) to[i] = clipped((from[i] - range[0]) / range[1]);
}

// On the grid of a 16-bit file.
extern "C" __global__ void rounded_16(const float* __restrict__ from, int size, float* __restrict__ to) {
    const int i = thread_x();
    if (i < size) to[i] = rintf(clipped(from[i]) * 65535.0f) * (1.0f / 65535.0f);
}

// Every `step`-th value of every `step`-th row.
extern "C" __global__ void every(const float* __restrict__ from, int wide, int step, float* __restrict__ to, int height,
                                 int width) {
    const int x = thread_x(), y = thread_y();
    if (x < width && y < height) to[y * width + x] = from[(long long)y * step * wide + (long long)x * step];
}
