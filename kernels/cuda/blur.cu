// Every plane blurred by its own circle of confusion: a disc, a polygon or a Gaussian. The border is mirrored.
#include "shot.cuh"

const int SUBPIXELS = 8;

// The image of a point of light: the share of each tap's square within the rim. corners: of a polygon that has the
// second moment of the disc, 0 = a disc. lie_out: how far its corners lie out. rotation: radians.
extern "C" __global__ void aperture(const Shot* __restrict__ shot, int corners, float lie_out, float rotation,
                                    float* __restrict__ weights) {
    const Blurs& blurs = shot->blurs;
    const int x = thread_x(), y = thread_y(), z = thread_z(), reach = blurs.reach[z], size = 2 * reach + 1;
    if (x >= size || y >= size) return;
    const float sector = 6.2831853f / (float)max(corners, 1);
    const float step = (float)blurs.step[z], radius = blurs.radius[z];
    int inside = 0;
    for (int i = 0; i < SUBPIXELS; i++)
        for (int j = 0; j < SUBPIXELS; j++) {
            const float across = step * ((float)(x - reach) + ((float)j + 0.5f) / SUBPIXELS - 0.5f);
            const float down = step * ((float)(y - reach) + ((float)i + 0.5f) / SUBPIXELS - 0.5f);
            float distance = sqrtf(across * across + down * down);
            if (corners) {
                const float angle = atan2f(down, across) - rotation;
                const float turned = angle - sector * (floorf(angle / sector) + 0.5f);
                distance *= cosf(turned) / (cosf(sector / 2.0f) * lie_out);
            }
            inside += distance <= radius;
        }
    weights[blurs.start[z] + y * size + x] = (float)inside / (SUBPIXELS * SUBPIXELS);
}

extern "C" __global__ void spread(const Cell* __restrict__ from, Level level, const Shot* __restrict__ shot,
                                  const float* __restrict__ weights, Cell* __restrict__ to) {
    const Blurs& blurs = shot->blurs;
    const int x = thread_x(), y = thread_y(), z = thread_z(), height = level.height[z], width = level.width[z];
    if (x >= width || y >= height) return;
    const Cell* grid = from + level.start[z];
    const int reach = blurs.reach[z], step = blurs.step[z];
    const float* taps = weights + blurs.start[z];
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float total = 0.0f;
    for (int i = -reach; i <= reach; i++) {
        const Cell* row = grid + mirrored(y + i * step, height) * width;
        for (int j = -reach; j <= reach; j++) {
            const float weight = *taps++;
            if (weight == 0.0f) continue;  // the same for all threads
            sum = sum + weight * cell_in(row + mirrored(x + j * step, width));
            total += weight;
        }
    }
    keep_cell(to + level.start[z] + y * width + x, (1.0f / total) * sum);
}

// radius: of the disc that has the Gaussian's second moment: twice its standard deviation. 0 leaves the plane as it is.
extern "C" __global__ void spread_line(const Cell* __restrict__ from, Level level, const Shot* __restrict__ shot,
                                       int along_rows, Cell* __restrict__ to) {
    const Blurs& blurs = shot->blurs;
    const int x = thread_x(), y = thread_y(), z = thread_z(), height = level.height[z], width = level.width[z];
    if (x >= width || y >= height) return;
    const Cell* grid = from + level.start[z];
    const int reach = blurs.reach[z], step = blurs.step[z];
    const float sigma = blurs.radius[z] / 2.0f, fall = reach ? -0.5f / (sigma * sigma) : 0.0f;
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float total = 0.0f;
    for (int i = -reach; i <= reach; i++) {
        const float off = (float)(i * step), weight = expf(fall * off * off);
        const int row = along_rows ? y : mirrored(y + i * step, height);
        const int column = along_rows ? mirrored(x + i * step, width) : x;
        sum = sum + weight * cell_in(grid + row * width + column);
        total += weight;
    }
    keep_cell(to + level.start[z] + y * width + x, (1.0f / total) * sum);
}
