// Small copies of a picture.
#include "sample.cuh"
#include "index.cuh"

// Four bilinear samples a pixel, about the mean of what it covers.
extern "C" __global__ void shrink(const uchar* __restrict__ picture, int high, int wide, uchar* __restrict__ out,
                                  int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    int sum[3] = {2, 2, 2};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const Between down = between(2 * y + i, 2 * height, high), across = between(2 * x + j, 2 * width, wide);
            const uchar *above = picture + 3ll * down.first * wide, *below = picture + 3ll * down.second * wide;
            for (int c = 0; c < 3; c++) {
                const float first = mixed(above[3 * across.first + c], above[3 * across.second + c], across.share);
                const float second = mixed(below[3 * across.first + c], below[3 * across.second + c], across.share);
                sum[c] += rounded_8(mixed(first, second, down.share));
            }
        }
    for (int c = 0; c < 3; c++) out[3 * (y * width + x) + c] = (uchar)(sum[c] >> 2);
}

// The mean of the pixels under each, as nets see a picture.
extern "C" __global__ void shrink_exactly(const uchar* __restrict__ picture, int high, int wide, uchar* __restrict__ out,
                                          int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Covered down = covered(y, height, high), across = covered(x, width, wide);
    float sum[3] = {0.0f, 0.0f, 0.0f};
    for (int i = down.first; i < down.last; i++) {
        const uchar* row = picture + 3ll * i * wide;
        for (int j = across.first; j < across.last; j++) {
            const float share = down.share(i) * across.share(j);
            for (int c = 0; c < 3; c++) sum[c] += share * (float)row[3 * j + c];
        }
    }
    for (int c = 0; c < 3; c++) out[3 * (y * width + x) + c] = rounded_8(sum[c]);
}
