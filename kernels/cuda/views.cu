// Pictures of depth, of layers and of where the focus is. In whole numbers where OpenCV has them, so that both agree.
#include "sample.cuh"
#include "index.cuh"

__device__ inline int level_of(float inverse_depth) { return (int)fminf(fmaxf(inverse_depth * 255.0f + 0.5f, 0.0f), 255.0f); }

__device__ inline int grey_of(const uchar* rgb) { return (9798 * rgb[0] + 19235 * rgb[1] + 3735 * rgb[2] + 16384) >> 15; }

__device__ inline float sampled(const float* plane, int high, int wide, int y, int x, int height, int width) {
    return bilinear(plane, wide, between(y, height, high), between(x, width, wide));
}

// colours: 256 × 3.
extern "C" __global__ void colour_depth(const float* __restrict__ inverse_depth, int high, int wide,
                                        const uchar* __restrict__ colours, uchar* __restrict__ out, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Between down = between(y, height, high), across = between(x, width, wide);
    const float *above = inverse_depth + down.first * wide, *below = inverse_depth + down.second * wide;
    const float first = mixed((float)level_of(above[across.first]), (float)level_of(above[across.second]), across.share);
    const float second = mixed((float)level_of(below[across.first]), (float)level_of(below[across.second]), across.share);
    const int level = rounded_8(mixed(first, second, down.share));
    for (int c = 0; c < 3; c++) out[3 * (y * width + x) + c] = colours[3 * level + c];
}

extern "C" __global__ void colour_layers(const uchar* __restrict__ labels, int high, int wide,
                                         const uchar* __restrict__ colours, uchar* __restrict__ out, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const int label = labels[(y * high / height) * wide + x * wide / width];
    for (int c = 0; c < 3; c++) out[3 * (y * width + x) + c] = colours[3 * label + c];
}

// Grey of a pixel after a small blur: noise has no edges.
__device__ inline int calm_grey(const uchar* picture, int height, int width, int y, int x) {
    int sum = 8;
    for (int i = -1; i < 2; i++)
        for (int j = -1; j < 2; j++) {
            const int row = mirrored_101(y + i, height), column = mirrored_101(x + j, width);
            sum += (2 - abs(i)) * (2 - abs(j)) * grey_of(picture + 3ll * ((long long)row * width + column));
        }
    return sum >> 4;
}

// Edges, |∂x| + |∂y| > edge, in red where inverse depth lies between least and greatest.
// between: the least and the greatest inverse depth in focus.
extern "C" __global__ void mark_in_focus(const uchar* __restrict__ picture, const float* __restrict__ inverse_depth,
                                         int high, int wide, const float* __restrict__ between, int edge,
                                         uchar* __restrict__ out, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const float least = between[0], greatest = between[1];
    int across = 0, down = 0;
    for (int i = -1; i < 2; i++)
        for (int j = -1; j < 2; j++) {
            if (!i && !j) continue;
            // What lies beyond the border is mirrored after the blur.
            const int grey = calm_grey(picture, height, width, mirrored_101(y + i, height), mirrored_101(x + j, width));
            across += j * (2 - abs(i)) * grey;
            down += i * (2 - abs(j)) * grey;
        }
    const int slope = min(abs((int)rintf(0.25f * across)), 255) + min(abs((int)rintf(0.25f * down)), 255);
    const float depth = sampled(inverse_depth, high, wide, y, x, height, width);
    const bool marked = slope > edge && depth >= least && depth <= greatest;
    const long long at = 3ll * ((long long)y * width + x);
    const uchar mark[3] = {255, 40, 40};
    for (int c = 0; c < 3; c++) out[at + c] = marked ? mark[c] : picture[at + c];
}

struct Tint {
    float focus, reach, dead_zone;  // as `Lens`
    float full, sharp;              // radii in pixels: where the tint is full, and up to which there is less than the least
    float least, most;              // strength
    uchar warm[4], cool[4];
};

extern "C" __global__ void tint_by_focus(const uchar* __restrict__ picture, const float* __restrict__ inverse_depth,
                                         int high, int wide, const Tint* __restrict__ tint_at, uchar* __restrict__ out,
                                         int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Tint& tint = *tint_at;
    const float depth = sampled(inverse_depth, high, wide, y, x, height, width);
    const float shown = (float)rounded_8(fabsf(255.0f * depth)) / 255.0f;
    const float radius = tint.reach * fmaxf(fabsf(shown - tint.focus) - tint.dead_zone, 0.0f);
    const float strength = (tint.least + (tint.most - tint.least) * fminf(radius / tint.full, 1.0f)) * clipped(radius / tint.sharp);
    const long long at = 3ll * ((long long)y * width + x);
    const float grey = (float)grey_of(picture + at);
    for (int c = 0; c < 3; c++) {
        const float colour = (float)rounded_8((float)(shown > tint.focus ? tint.warm[c] : tint.cool[c]) * grey / 255.0f);
        out[at + c] = rounded_8(strength * colour + (1.0f - strength) * (float)picture[at + c]);
    }
}
