// Several pictures as one, with captions.
#include "index.cuh"

// A picture, at a place of one that is `wide` pixels wide.
extern "C" __global__ void paste(const uchar* __restrict__ picture, int height, int width, uchar* __restrict__ out,
                                 int wide, int top, int left) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const long long from = 3ll * ((long long)y * width + x), to = 3ll * ((long long)(top + y) * wide + left + x);
    for (int c = 0; c < 3; c++) out[to + c] = picture[from + c];
}

// lettering: high × wide, 255 where letters cover the plate at the top left; there the picture is `darker`.
extern "C" __global__ void caption(const uchar* __restrict__ picture, int height, int width,
                                   const uchar* __restrict__ lettering, int high, int wide, int darker,
                                   uchar* __restrict__ out) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const long long at = 3ll * ((long long)y * width + x);
    const bool plate = x < wide && y < high;
    const int cover = plate ? lettering[y * wide + x] : 0;
    for (int c = 0; c < 3; c++) {
        const int level = plate ? picture[at + c] / darker : picture[at + c];
        out[at + c] = (uchar)(level + ((255 - level) * cover + 127) / 255);
    }
}
