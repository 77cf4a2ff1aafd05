// Where each pixel of a small grey picture comes from: patches are tracked from coarse to fine, each pixel's own. At
// each size a patch starts from the best of what was found around it at half the size, and of standing still; then
// Gauss and Newton's steps bring it to a part of a pixel (Lucas and Kanade 1981).
#include "sample.cuh"
#include "index.cuh"

const int REACH = 3;       // half of a patch, 7 × 7
const int STEPS = 4;       // of Gauss and Newton
const int NEIGHBOUR = 4;   // where other starts are taken from
const float BETTER = 0.9f;  // a start must be as much better to be preferred to standing still
const float LONGEST_STEP = 1.0f;

extern "C" __global__ void grey(const uchar* __restrict__ picture, int size, float* __restrict__ out) {
    const int i = thread_x();
    if (i >= size) return;
    const uchar* rgb = picture + 3ll * i;
    out[i] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}

struct Pictures {
    const float *now, *before;
    int height, width;
    __device__ float shown(int y, int x) const { return now[held(y, height) * width + held(x, width)]; }
    __device__ float came(float y, float x) const { return bilinear(before, width, around(y, height), around(x, width)); }
};

// The mean squared difference of a patch.
__device__ inline float misfit(const Pictures& p, int y, int x, float2 flow) {
    float sum = 0.0f;
    for (int i = -REACH; i <= REACH; i++)
        for (int j = -REACH; j <= REACH; j++) {
            const float apart = p.came((float)(y + i) + flow.y, (float)(x + j) + flow.x) - p.shown(y + i, x + j);
            sum += apart * apart;
        }
    return sum / (float)((2 * REACH + 1) * (2 * REACH + 1));
}

// One step of Gauss and Newton, with the slopes of the picture now.
__device__ inline float2 stepped(const Pictures& p, int y, int x, float2 flow) {
    float xx = 1e-3f, xy = 0.0f, yy = 1e-3f, x_apart = 0.0f, y_apart = 0.0f;
    for (int i = -REACH; i <= REACH; i++)
        for (int j = -REACH; j <= REACH; j++) {
            const float slope_x = 0.5f * (p.shown(y + i, x + j + 1) - p.shown(y + i, x + j - 1));
            const float slope_y = 0.5f * (p.shown(y + i + 1, x + j) - p.shown(y + i - 1, x + j));
            const float apart = p.came((float)(y + i) + flow.y, (float)(x + j) + flow.x) - p.shown(y + i, x + j);
            xx += slope_x * slope_x;
            xy += slope_x * slope_y;
            yy += slope_y * slope_y;
            x_apart += slope_x * apart;
            y_apart += slope_y * apart;
        }
    // Where slopes run one way only, the patch does not slide along them.
    const float firm = 0.02f * (xx + yy);
    xx += firm;
    yy += firm;
    const float part = 1.0f / (xx * yy - xy * xy);
    const float step_x = part * (yy * x_apart - xy * y_apart), step_y = part * (xx * y_apart - xy * x_apart);
    return make_float2(flow.x - fminf(fmaxf(step_x, -LONGEST_STEP), LONGEST_STEP),
                       flow.y - fminf(fmaxf(step_y, -LONGEST_STEP), LONGEST_STEP));
}

// coarse: the flow at about half the size, high × wide, in its own pixels; high = 0: there is none.
extern "C" __global__ void track(const float* __restrict__ now, const float* __restrict__ before, int height, int width,
                                 const float2* __restrict__ coarse, int high, int wide, float2* __restrict__ flow) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Pictures pictures = {now, before, height, width};
    float2 best = make_float2(0.0f, 0.0f);
    const float still = misfit(pictures, y, x, best);
    float least = BETTER * still;
    for (int i = 0; high > 0 && i < 5; i++) {
        const int off_x = i == 1 ? NEIGHBOUR : i == 2 ? -NEIGHBOUR : 0, off_y = i == 3 ? NEIGHBOUR : i == 4 ? -NEIGHBOUR : 0;
        const float2 start = coarse[held((y + off_y) * high / height, high) * wide + held((x + off_x) * wide / width, wide)];
        const float2 flow_there = make_float2(start.x * (float)width / (float)wide, start.y * (float)height / (float)high);
        const float found = misfit(pictures, y, x, flow_there);
        if (found < least) {
            least = found;
            best = flow_there;
        }
    }
    float misfit_now = best.x == 0.0f && best.y == 0.0f ? still : least;
    for (int i = 0; i < STEPS; i++) {
        const float2 next = stepped(pictures, y, x, best);
        const float found = misfit(pictures, y, x, next);
        if (found >= misfit_now) break;
        misfit_now = found;
        best = next;
    }
    flow[y * width + x] = best;
}

// Of each direction the median of 3 × 3: a patch that went astray stands alone.
extern "C" __global__ void median_flow(const float2* __restrict__ from, float2* __restrict__ to, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    float middle[2] = {0.0f, 0.0f};
    for (int part = 0; part < 2; part++) {
        float values[9];
        for (int i = 0; i < 9; i++) {
            const float2 value = from[held(y + i / 3 - 1, height) * width + held(x + i % 3 - 1, width)];
            values[i] = part ? value.y : value.x;
        }
        for (int i = 0; i < 9; i++) {
            int below = 0;
            for (int j = 0; j < 9; j++) below += values[j] < values[i] || (values[j] == values[i] && j < i);
            if (below == 4) middle[part] = values[i];
        }
    }
    to[y * width + x] = make_float2(middle[0], middle[1]);
}
