// Median of 3 × 3 or 5 × 5, and a Gaussian along one axis.
#include "index.cuh"

// The middle of N values. Of N / 2 + 2 values the least and the greatest cannot be it: drop both, take one more.
template <int N>
__device__ inline float middle_of(const float (&values)[N]) {
    constexpr int kept = N / 2 + 2;
    float some[kept];
#pragma unroll
    for (int i = 0; i < kept; i++) some[i] = values[i];
    int next = kept;
#pragma unroll
    for (int count = kept; count > 2; count--) {
#pragma unroll
        for (int i = 1; i < kept; i++) {
            if (i >= count) break;
            const float low = fminf(some[0], some[i]);
            some[i] = fmaxf(some[0], some[i]);
            some[0] = low;
        }
#pragma unroll
        for (int i = 1; i + 1 < kept; i++) {
            if (i + 1 >= count) break;
            const float high = fmaxf(some[count - 1], some[i]);
            some[i] = fminf(some[count - 1], some[i]);
            some[count - 1] = high;
        }
        if (next < N) {
            some[0] = values[next++];  // in the place of the least; the greatest falls off the end
        } else {
            some[0] = some[1];
        }
    }
    return some[0];
}

template <int SIZE>
__device__ inline void median(const float* from, float* to, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    float values[SIZE * SIZE];
#pragma unroll
    for (int i = 0; i < SIZE; i++)
#pragma unroll
        for (int j = 0; j < SIZE; j++)
            values[i * SIZE + j] = from[held(y + i - SIZE / 2, height) * width + held(x + j - SIZE / 2, width)];
    to[y * width + x] = middle_of<SIZE * SIZE>(values);
}

extern "C" __global__ void median_3(const float* __restrict__ from, float* __restrict__ to, int height, int width) {
    median<3>(from, to, height, width);
}

extern "C" __global__ void median_5(const float* __restrict__ from, float* __restrict__ to, int height, int width) {
    median<5>(from, to, height, width);
}

// weights: of `size` neighbours, odd. step: 1 = along the rows; else along the columns. The border: edcb|abcde.
extern "C" __global__ void gaussian(const float* __restrict__ from, float* __restrict__ to, int height, int width,
                                    const float* __restrict__ weights, int size, int along_rows) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    float sum = 0.0f;
    for (int i = 0; i < size; i++) {
        const int off = i - size / 2;
        sum += weights[i] * (along_rows ? from[y * width + mirrored_101(x + off, width)]
                                        : from[mirrored_101(y + off, height) * width + x]);
    }
    to[y * width + x] = sum;
}
