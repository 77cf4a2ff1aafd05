// The last step of refocus: what is in focus, between what lies before and behind it, at the picture's size.
//
// With F and B the light before and behind the focus, f and b their coverage, s the share of a pixel that is in focus,
// L its light, v the share that is not before the focus, and H a guess at what is in focus where the front hid it
// (h its coverage), "over" three times is
//
//     F + (1 − f) · (s · L + (1 − s) · B + (1 − v) · (H − h · B))
#include "shot.cuh"

// All that is not in focus on one grid of high × wide cells. front: F and 1 − f. back: (1 − f) · B.
// guess: (1 − f) · (H − h · B). The planes of either side come outermost first.
extern "C" __global__ void surround(const Cell* __restrict__ blurred, Level level, const Cell* __restrict__ filled,
                                    Level half, const Shot* __restrict__ shot, int high, int wide,
                                    Cell* __restrict__ front, Cell* __restrict__ back, Cell* __restrict__ guess) {
    const Planes& planes = shot->planes;
    const int x = thread_x(), y = thread_y();
    if (x >= wide || y >= high) return;
    const float4 nothing = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float4 before = nothing, behind = nothing, hidden = nothing;
    for (int z = 0; z < planes.count; z++) {
        const int side = planes.plane[z].side;
        const Level& own = side == HIDDEN ? half : level;
        const float4 value = bilinear((side == HIDDEN ? filled : blurred) + own.start[z], own.width[z],
                                      between(y, high, own.height[z]), between(x, wide, own.width[z]));
        if (side == FRONT) before = before + (1.0f - before.w) * value;
        if (side == BACK) behind = value + (1.0f - value.w) * behind;
        if (side == HIDDEN) hidden = value;
    }
    const float through = 1.0f - before.w;
    const int at = y * wide + x;
    keep_cell(front + at, make_float4(before.x, before.y, before.z, through));
    keep_cell(back + at, through * behind);
    keep_cell(guess + at, through * (hidden + (-hidden.w) * behind));
}


__device__ inline Code code_of(float light, const Code* to_code, int roots) {
    light = clipped(light);
    for (int i = 0; i < roots; i++) light = sqrtf(light);
    return to_code[(int)rintf(light * 65535.0f)];
}

// The grids of `surround` have high × wide cells. to_code: the code value of each of 65536 levels, to
// which `roots` square roots of light lead.
extern "C" __global__ void compose(const Code* __restrict__ picture, const float* __restrict__ inverse_depth,
                                   const Shot* __restrict__ shot, const Cell* __restrict__ front,
                                   const Cell* __restrict__ back, const Cell* __restrict__ guess, int high, int wide,
                                   const float* __restrict__ to_light, const Code* __restrict__ to_code, int roots,
                                   Code* __restrict__ out) {
    const Scene& scene = shot->scene;
    const int x = thread_x(), y = thread_y();
    if (x >= scene.width || y >= scene.height) return;
    const long long at = 3ll * ((long long)y * scene.width + x);
    const float radius = radius_at(inverse_depth, scene, y + scene.top, x + scene.left);
    const InFocus share = in_focus(radius, scene);
    const Between down = between(y + scene.top, scene.high, high), across = between(x + scene.left, scene.wide, wide);
    float4 light = bilinear(front, wide, down, across);
    const float own = share.own * light.w;
    if (own >= 1.0f) {
        for (int c = 0; c < 3; c++) out[at + c] = picture[at + c];
        return;
    }
    if (share.own < 1.0f) light = light + (1.0f - share.own) * bilinear(back, wide, down, across);
    if (share.visible < 1.0f) light = light + (1.0f - share.visible) * bilinear(guess, wide, down, across);
    const float parts[3] = {light.x, light.y, light.z};
    for (int c = 0; c < 3; c++) out[at + c] = code_of(parts[c] + own * to_light[picture[at + c]], to_code, roots);
}
