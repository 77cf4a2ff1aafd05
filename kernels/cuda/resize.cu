// Inverse depth at another size: bilinear.
#include "index.cuh"
#include "sample.cuh"

extern "C" __global__ void resize(const float* __restrict__ from, int high, int wide, float* __restrict__ to,
                                  int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    to[y * width + x] = bilinear(from, wide, between(y, height, high), between(x, width, wide));
}

// The mean of what each cell covers, at a smaller size.
extern "C" __global__ void shrink_plane(const float* __restrict__ from, int high, int wide, float* __restrict__ to,
                                        int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Covered down = covered(y, height, high), across = covered(x, width, wide);
    float sum = 0.0f;
    for (int i = down.first; i < down.last; i++) {
        float row = 0.0f;
        for (int j = across.first; j < across.last; j++) row += across.share(j) * from[i * wide + j];
        sum += down.share(i) * row;
    }
    to[y * width + x] = sum;
}
