// 4:2:0 frames of a decoder to RGB, and RGB to NV12 for an encoder.
#include "yuv.cuh"
#include "index.cuh"

extern "C" __global__ void rgb_of_yuv(const uchar* __restrict__ frame, Yuv yuv, Matrix to_rgb, uchar* __restrict__ out) {
    const int x = thread_x(), y = thread_y();
    if (x >= yuv.width || y >= yuv.height) return;
    // Chroma lies between two rows, and on every other column.
    const Between down = between(y, yuv.height, yuv.height / 2), across = around(0.5f * (float)x, yuv.width / 2);
    float chroma[2];
    for (int part = 0; part < 2; part++) {
        const float above = mixed(frame[chroma_at(yuv, down.first, across.first, part)],
                                  frame[chroma_at(yuv, down.first, across.second, part)], across.share);
        const float below = mixed(frame[chroma_at(yuv, down.second, across.first, part)],
                                  frame[chroma_at(yuv, down.second, across.second, part)], across.share);
        chroma[part] = mixed(above, below, down.share);
    }
    const float luma = frame[(long long)y * yuv.pitch + x];
    uchar* pixel = out + 3ll * ((long long)y * yuv.width + x);
    for (int c = 0; c < 3; c++) pixel[c] = rounded_8(row_of(to_rgb, c, luma, chroma[0], chroma[1]));
}

// One thread for 2 × 2 pixels.
extern "C" __global__ void yuv_of_rgb(const uchar* __restrict__ picture, Yuv yuv, Matrix to_yuv, uchar* __restrict__ out) {
    const int x = thread_x(), y = thread_y();
    if (x >= yuv.width / 2 || y >= yuv.height / 2) return;
    float sum[3] = {0.0f, 0.0f, 0.0f};
    for (int i = 0; i < 2; i++)
        for (int j = -1; j < 2; j++) {
            const int row = 2 * y + i, column = held(2 * x + j, yuv.width);
            const uchar* pixel = picture + 3ll * ((long long)row * yuv.width + column);
            for (int c = 0; c < 3; c++) sum[c] += (j == 0 ? 0.25f : 0.125f) * (float)pixel[c];
            if (j >= 0)
                out[(long long)row * yuv.pitch + column] = rounded_8(row_of(to_yuv, 0, pixel[0], pixel[1], pixel[2]));
        }
    for (int part = 0; part < 2; part++)
        out[chroma_at(yuv, y, x, part)] = rounded_8(row_of(to_yuv, 1 + part, sum[0], sum[1], sum[2]));
}
