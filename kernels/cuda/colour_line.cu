// Which of two surfaces a pixel's colour belongs to (the colour line of matting). After `edges.cu`; the steps are those
// of `kernels/cpu/edges.py`, which says why.
#include "vectors.cuh"
#include "index.cuh"

const float SURE = 0.3f, ALIKE = 0.1f, STEEPNESS = 8.0f;
const float SPREAD = 0.8f;  // σ of the neighbourhood whose colours are compared, in cells of half the size
const int TAPS = 3;

// The mean colour of each cell of `scale` pixels, 0–1, and the share of the nearer surface.
extern "C" __global__ void cell_colours(const uchar* __restrict__ picture, int height, int width, int scale,
                                        const float4* __restrict__ surfaces, float4* __restrict__ out, int rows,
                                        int columns) {
    const int x = thread_x(), y = thread_y();
    if (x >= columns || y >= rows) return;
    float sum[3] = {0.0f, 0.0f, 0.0f};
    for (int i = 0; i < scale; i++)
        for (int j = 0; j < scale; j++) {
            const int row = min(y * scale + i, height - 1), column = min(x * scale + j, width - 1);
            const uchar* pixel = picture + 3ll * ((long long)row * width + column);
            for (int c = 0; c < 3; c++) sum[c] += (float)pixel[c];
        }
    const float part = 1.0f / (255.0f * (float)(scale * scale));
    out[y * columns + x] = make_float4(part * sum[0], part * sum[1], part * sum[2], surfaces[y * columns + x].w);
}

// What surely shows the nearer surface and what the farther: colours times how many, and how many, at half the size.
extern "C" __global__ void sure_colours(const float4* __restrict__ colours, int rows, int columns,
                                        float4* __restrict__ near, float4* __restrict__ far, int high, int wide) {
    const int x = thread_x(), y = thread_y();
    if (x >= wide || y >= high) return;
    const Covered down = covered(y, high, rows), across = covered(x, wide, columns);
    float4 nearer = make_float4(0.0f, 0.0f, 0.0f, 0.0f), farther = nearer;
    for (int i = down.first; i < down.last; i++)
        for (int j = across.first; j < across.last; j++) {
            const float4 cell = colours[i * columns + j], counted = make_float4(cell.x, cell.y, cell.z, 1.0f);
            const float part = down.share(i) * across.share(j);
            if (cell.w > 1.0f - SURE) nearer = nearer + part * counted;
            if (cell.w < SURE) farther = farther + part * counted;
        }
    near[y * wide + x] = nearer;
    far[y * wide + x] = farther;
}

// The mean colour around each cell.
extern "C" __global__ void mean_colours(const float4* __restrict__ sums, int high, int wide, float4* __restrict__ means) {
    const int x = thread_x(), y = thread_y();
    if (x >= wide || y >= high) return;
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float total = 0.0f;
    for (int i = -TAPS; i <= TAPS; i++)
        for (int j = -TAPS; j <= TAPS; j++) {
            const float weight = expf(-0.5f * (float)(i * i + j * j) / (SPREAD * SPREAD));
            sum = sum + weight * sums[mirrored(y + i, high) * wide + mirrored(x + j, wide)];
            total += weight;
        }
    means[y * wide + x] = (1.0f / (sum.w / total + 1e-4f) / total) * sum;
}

// depths: the share of what was there, the farther surface and the step to the nearer, both times the rest, and a
// constant. weights: of R, G and B in 0–255: with the constant they sum to the share of the nearer surface, made steep.
extern "C" __global__ void colour_line(const float4* __restrict__ surfaces, int rows, int columns,
                                       const float4* __restrict__ near, const float4* __restrict__ far, int high,
                                       int wide, float4* __restrict__ depths, float4* __restrict__ weights) {
    const int x = thread_x(), y = thread_y();
    if (x >= columns || y >= rows) return;
    const Between down = between(y, rows, high), across = between(x, columns, wide);
    const float4 nearer = bilinear(near, wide, down, across), farther = bilinear(far, wide, down, across);
    const float4 apart = nearer + (-1.0f) * farther, cell = surfaces[y * columns + x];
    const float distance = apart.x * apart.x + apart.y * apart.y + apart.z * apart.z, share = cell.w;
    // Nothing is gained where one surface is sure, and little where colours are alike.
    const float trust = distance / (distance + ALIKE) * 4.0f * share * (1.0f - share);
    const float4 weight = (trust / fmaxf(distance, 1e-6f)) * apart;
    const float constant = share * (1.0f - trust) - weight.x * farther.x - weight.y * farther.y - weight.z * farther.z;
    const int at = y * columns + x;
    depths[at] = make_float4(1.0f - cell.z, cell.z * cell.x, cell.z * cell.y, (constant - 0.5f) * STEEPNESS + 0.5f);
    weights[at] = (STEEPNESS / 255.0f) * make_float4(weight.x, weight.y, weight.z, 0.0f);
}

// Inverse depth at the picture's size. Where no edge is near, bilinear.
extern "C" __global__ void with_edges(const float* __restrict__ inverse_depth, int high, int wide,
                                      const uchar* __restrict__ picture, int height, int width, int scale,
                                      const float4* __restrict__ depths, const float4* __restrict__ weights, int rows,
                                      int columns, float* __restrict__ out) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const float plain = bilinear(inverse_depth, wide, between(y, height, high), between(x, width, wide));
    const Between down = between(y, rows * scale, rows), across = between(x, columns * scale, columns);
    const float4 depth = bilinear(depths, columns, down, across);
    if (depth.x >= 1.0f) {
        out[y * width + x] = plain;
        return;
    }
    const float4 weight = bilinear(weights, columns, down, across);
    const uchar* pixel = picture + 3ll * ((long long)y * width + x);
    const float share = depth.w + weight.x * pixel[0] + weight.y * pixel[1] + weight.z * pixel[2];
    out[y * width + x] = depth.x * plain + depth.y + clipped(share) * depth.z;
}
