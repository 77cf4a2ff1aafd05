// The picture on the finest grid, and every plane as the picture shows it.
#include "shot.cuh"

const float EDGE_CELLS = 2.0f;  // a step of the circle of confusion between two cells that makes an edge, in cells
const float MIXED = 0.2f;       // what a cell at an edge counts for, against others of its plane

// cells: light, and the signed radius of the middle pixel. purity: how far a cell's light is its own. to_light: of each
// code value. by_light: the mean of light, not of code values.
extern "C" __global__ void finest(const Code* __restrict__ picture, const float* __restrict__ inverse_depth,
                                  const Shot* __restrict__ shot, const float* __restrict__ to_light, int by_light,
                                  float4* __restrict__ cells, float* __restrict__ purity) {
    const Scene& scene = shot->scene;
    const int x = thread_x(), y = thread_y(), base = scene.base, wide = scene.wide / base, high = scene.high / base;
    if (x >= wide || y >= high) return;
    float sum[3] = {0.0f, 0.0f, 0.0f};
    for (int i = 0; i < base; i++) {
        const int row = mirrored(y * base + i - scene.top, scene.height);
        for (int j = 0; j < base; j++) {
            const int column = mirrored(x * base + j - scene.left, scene.width);
            const Code* pixel = picture + 3ll * ((long long)row * scene.width + column);
            for (int c = 0; c < 3; c++) sum[c] += by_light ? to_light[pixel[c]] : (float)pixel[c];
        }
    }
    float light[3];
    for (int c = 0; c < 3; c++) {
        const float mean = sum[c] / (float)(base * base);
        light[c] = by_light ? mean : to_light[(int)rintf(mean)];
    }
    const int middle = base / 2;
    const float own = radius_at(inverse_depth, scene, y * base + middle, x * base + middle);
    float nearest = own;
    if (base > 1)
        for (int i = max(y - 1, 0); i <= min(y + 1, high - 1); i++)
            for (int j = max(x - 1, 0); j <= min(x + 1, wide - 1); j++)
                nearest = fmaxf(nearest, radius_at(inverse_depth, scene, i * base + middle, j * base + middle));
    cells[y * wide + x] = make_float4(light[0], light[1], light[2], own);
    purity[y * wide + x] = nearest - own > EDGE_CELLS * (float)base ? MIXED : 1.0f;
}

// seen: light times coverage, and coverage, at the plane's size. visible: the share of each cell that could be seen.
extern "C" __global__ void cut(const float4* __restrict__ cells, const float* __restrict__ purity,
                               const Shot* __restrict__ shot, Level level, Cell* __restrict__ seen,
                               Share* __restrict__ visible) {
    const Scene& scene = shot->scene;
    const int x = thread_x(), y = thread_y(), z = thread_z();
    if (x >= level.width[z] || y >= level.height[z]) return;
    const Plane plane = shot->planes.plane[z];
    const int scale = plane.scale, wide = scene.wide / scene.base;
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float could = 0.0f;
    for (int i = 0; i < scale; i++)
        for (int j = 0; j < scale; j++) {
            const int at = (y * scale + i) * wide + x * scale + j;
            const float4 cell = cells[at];
            const InFocus share = on_plane(plane, cell.w, purity[at], scene);
            sum = sum + share.own * make_float4(cell.x, cell.y, cell.z, 1.0f);
            could += share.visible;
        }
    const float part = 1.0f / (float)(scale * scale);
    const int at = level.start[z] + y * level.width[z] + x;
    keep_cell(seen + at, part * sum);
    keep_share(visible + at, part * could);
}
