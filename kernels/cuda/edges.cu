// Where depth has edges, on a grid of cells: the two surfaces that meet there. The steps are those of
// `kernels/cpu/edges.py`, which says why.
#include "vectors.cuh"
#include "index.cuh"

const int REACH = 3;  // half of the widest ramp
const float STEP = 0.03f, LEAST_SLOPE = 0.3f, MIDDLE = 0.2f, LEAST_STEP = 1e-3f;

// Inverse depth in cells of `scale` pixels of a picture of height × width, which they cover.
extern "C" __global__ void on_grid(const float* __restrict__ inverse_depth, int high, int wide, int height, int width,
                                   int scale, float* __restrict__ out, int rows, int columns) {
    const int x = thread_x(), y = thread_y();
    if (x >= columns || y >= rows) return;
    const float down = (float)(high * scale) / (float)height, across = (float)(wide * scale) / (float)width;
    out[y * columns + x] = bilinear(inverse_depth, wide, around(((float)y + 0.5f) * down - 0.5f, high),
                                    around(((float)x + 0.5f) * across - 0.5f, wide));
}

// Beyond the border a slope goes on: mirrored about the value there.
__device__ inline float in_row(const float* row, int x, int size) {
    if (x >= 0 && x < size) return row[x];
    const int end = x < 0 ? 0 : size - 1;
    return 2.0f * row[end] - row[held(2 * end - x, size)];
}

__device__ inline float going_on(const float* plane, int y, int x, int rows, int columns) {
    if (y >= 0 && y < rows) return in_row(plane + y * columns, x, columns);
    const int end = y < 0 ? 0 : rows - 1;
    return 2.0f * in_row(plane + end * columns, x, columns) -
           in_row(plane + held(2 * end - y, rows) * columns, x, columns);
}

// The least and the greatest around each cell, and how surely an edge is near: over twice the distance a slope doubles
// its step, an edge does not.
extern "C" __global__ void extremes(const float* __restrict__ depth, int rows, int columns, float* __restrict__ least,
                                    float* __restrict__ greatest, float* __restrict__ edge) {
    const int x = thread_x(), y = thread_y();
    if (x >= columns || y >= rows) return;
    const float own = depth[y * columns + x];
    float low = own, high = own, near_low = own, near_high = own, far_low = own, far_high = own;
    for (int i = -2 * REACH; i <= 2 * REACH; i++)
        for (int j = -2 * REACH; j <= 2 * REACH; j++) {
            const float value = going_on(depth, y + i, x + j, rows, columns);
            far_low = fminf(far_low, value);
            far_high = fmaxf(far_high, value);
            if (abs(i) > REACH || abs(j) > REACH) continue;
            near_low = fminf(near_low, value);
            near_high = fmaxf(near_high, value);
            if (y + i < 0 || y + i >= rows || x + j < 0 || x + j >= columns) continue;
            low = fminf(low, value);
            high = fmaxf(high, value);
        }
    const int at = y * columns + x;
    least[at] = low;
    greatest[at] = high;
    edge[at] = clipped((2.0f * (near_high - near_low) - (far_high - far_low)) / STEP - 1.0f);
}

// What is half-way between two surfaces is on the ramp between them where depth is steep, else on a third.
__device__ inline float on_a_ramp(const float* depth, int y, int x, int rows, int columns, float low, float step) {
    float least = depth[y * columns + x], greatest = least;
    for (int i = max(y - 1, 0); i <= min(y + 1, rows - 1); i++)
        for (int j = max(x - 1, 0); j <= min(x + 1, columns - 1); j++) {
            least = fminf(least, depth[i * columns + j]);
            greatest = fmaxf(greatest, depth[i * columns + j]);
        }
    const float slope = (greatest - least) / step, away = fabsf((depth[y * columns + x] - low) / step - 0.5f);
    return fmaxf(clipped((slope - LEAST_SLOPE) * 5.0f), clipped((away - MIDDLE) * 10.0f));
}

// surfaces: the farther surface, the step to the nearer, how sure it is that they meet here, and the share of the nearer.
extern "C" __global__ void surfaces(const float* __restrict__ depth, int rows, int columns,
                                    const float* __restrict__ least, const float* __restrict__ greatest,
                                    const float* __restrict__ edge, float4* __restrict__ surfaces) {
    const int x = thread_x(), y = thread_y(), reach = REACH - 1;
    if (x >= columns || y >= rows) return;
    float low = 0.0f, high = 0.0f;
    for (int i = -reach; i <= reach; i++)
        for (int j = -reach; j <= reach; j++) {
            const int at = mirrored_101(y + i, rows) * columns + mirrored_101(x + j, columns);
            low += least[at];
            high += greatest[at];
        }
    const float count = (float)((2 * reach + 1) * (2 * reach + 1));
    low /= count;
    high /= count;
    const int at = y * columns + x;
    const float step = high - low, divisor = fmaxf(step, LEAST_STEP);
    const float sure = edge[at] > 0.0f ? edge[at] * on_a_ramp(depth, y, x, rows, columns, low, divisor) : 0.0f;
    surfaces[at] = make_float4(low, step, sure, clipped((depth[at] - low) / divisor));
}
