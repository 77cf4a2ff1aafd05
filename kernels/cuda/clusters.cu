// Scalar K-Means: one step of mini-batch K-Means, and the nearest centre of every pixel.
#include "index.cuh"

// Centres descend; the border between two is half-way, in 32 bits as the samples are.
__device__ inline int nearest(float value, const double* centres, int count) {
    int index = count - 1;
    for (int i = count - 1; i > 0; i--)
        if ((float)((centres[i] + centres[i - 1]) / 2.0) <= value) index = i - 1;
    return index;
}

// sums: of samples in units of 2^-32, so that their order does not matter; `count` of them, then as many counts, then
// how many threads are done. All start at 0. The last thread moves the centres.
extern "C" __global__ void cluster_update(const float* __restrict__ samples, int sample_count,
                                          const double* __restrict__ centres, const double* __restrict__ weights,
                                          int count, unsigned long long* sums, double* moved, double* seen) {
    const int i = thread_x();
    if (i >= sample_count) return;
    const int index = nearest(samples[i], centres, count);
    atomicAdd(&sums[index], (unsigned long long)(long long)rint((double)samples[i] * 4294967296.0));
    atomicAdd(&sums[count + index], 1ull);
    __threadfence();
    if (atomicAdd(&sums[2 * count], 1ull) + 1ull != (unsigned long long)sample_count) return;
    __threadfence();
    for (int k = 0; k < count; k++) {
        // Read where the sums are made: a plain read could find an old copy.
        const double sum = (double)(long long)atomicAdd(&sums[k], 0ull) / 4294967296.0;
        const double found = (double)atomicAdd(&sums[count + k], 0ull);
        seen[k] = weights[k] + found;
        moved[k] = found > 0.0 ? (centres[k] * weights[k] + sum) / fmax(seen[k], 1.0) : centres[k];
    }
}

struct Centres {
    int count;
    double at[16];
};

extern "C" __global__ void assign(const float* __restrict__ inverse_depth, int size,
                                  const Centres* __restrict__ centres, uchar* __restrict__ labels) {
    const int i = thread_x();
    if (i >= size) return;
    labels[i] = (uchar)nearest(inverse_depth[i], centres->at, centres->count);
}
