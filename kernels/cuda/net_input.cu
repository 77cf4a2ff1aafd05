// A picture or a decoder's frame as the net wants it: the mean of the pixels under each of its own, normalised, R, G and
// B after each other in half precision. One pass; no picture in between.
#include "half.cuh"
#include "yuv.cuh"

struct Normal {  // out = value · scale + offset, of each channel
    float scale[3], offset[3];
};

__device__ inline void keep(ushort* out, int height, int width, int y, int x, const float* rgb, const Normal& normal) {
    for (int c = 0; c < 3; c++)
        out[((long long)c * height + y) * width + x] =
            half_of(fminf(fmaxf(rgb[c], 0.0f), 255.0f) * normal.scale[c] + normal.offset[c]);
}

extern "C" __global__ void of_rgb(const uchar* __restrict__ picture, int high, int wide, Normal normal,
                                  ushort* __restrict__ out, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Covered down = covered(y, height, high), across = covered(x, width, wide);
    float sum[3] = {0.0f, 0.0f, 0.0f};
    for (int i = down.first; i < down.last; i++)
        for (int j = across.first; j < across.last; j++) {
            const float part = down.share(i) * across.share(j);
            const uchar* pixel = picture + 3ll * ((long long)i * wide + j);
            for (int c = 0; c < 3; c++) sum[c] += part * (float)pixel[c];
        }
    keep(out, height, width, y, x, sum, normal);
}

// Means may be taken before the matrix: it is linear.
extern "C" __global__ void of_yuv(const uchar* __restrict__ frame, Yuv yuv, Matrix to_rgb, Normal normal,
                                  ushort* __restrict__ out, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Covered down = covered(y, height, yuv.height), across = covered(x, width, yuv.width);
    float luma = 0.0f, chroma[2] = {0.0f, 0.0f};
    for (int i = down.first; i < down.last; i++)
        for (int j = across.first; j < across.last; j++) {
            const float part = down.share(i) * across.share(j);
            luma += part * (float)frame[(long long)i * yuv.pitch + j];
            for (int p = 0; p < 2; p++) chroma[p] += part * (float)frame[chroma_at(yuv, i / 2, j / 2, p)];
        }
    float rgb[3];
    for (int c = 0; c < 3; c++) rgb[c] = row_of(to_rgb, c, luma, chroma[0], chroma[1]);
    keep(out, height, width, y, x, rgb, normal);
}
