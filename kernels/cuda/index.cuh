// Which value a thread makes: one each, so no thread waits for another.
#pragma once

typedef unsigned char uchar;
typedef unsigned short ushort;

__device__ inline int thread_x() { return (int)(blockIdx.x * blockDim.x + threadIdx.x); }
__device__ inline int thread_y() { return (int)(blockIdx.y * blockDim.y + threadIdx.y); }
__device__ inline int thread_z() { return (int)(blockIdx.z * blockDim.z + threadIdx.z); }

__device__ inline int held(int index, int size) { return index < 0 ? 0 : index >= size ? size - 1 : index; }
__device__ inline float clipped(float value) { return fminf(fmaxf(value, 0.0f), 1.0f); }

// Beyond the border: fedcba|abcdef|fedcba.
__device__ inline int mirrored(int index, int size) {
    if (index >= 0 && index < size) return index;
    const int period = 2 * size, at = (index % period + period) % period;
    return at < size ? at : period - 1 - at;
}

// Beyond the border: fedcb|abcdef|edcba.
__device__ inline int mirrored_101(int index, int size) {
    if (index >= 0 && index < size) return index;
    if (size == 1) return 0;
    const int period = 2 * size - 2, at = (index % period + period) % period;
    return at < size ? at : period - at;
}

__device__ inline uchar rounded_8(float value) { return (uchar)fminf(fmaxf(rintf(value), 0.0f), 255.0f); }
