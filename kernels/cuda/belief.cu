// Depth through time: carried along with the picture, and fused with new depth. The steps are those of
// `kernels/cpu/temporal.py`, which says why.
#include "sample.cuh"
#include "index.cuh"

// flow: high × wide × 2, where a pixel of the small pictures comes from. Depth is finer.
extern "C" __global__ void carry_depth(const float* __restrict__ depth, int height, int width,
                                       const float2* __restrict__ flow, int high, int wide, float* __restrict__ out) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const Between down = between(y, height, high), across = between(x, width, wide);
    const float2 *above = flow + down.first * wide, *below = flow + down.second * wide;
    const float2 a = above[across.first], b = above[across.second], c = below[across.first], d = below[across.second];
    const float move_x = mixed(mixed(a.x, b.x, across.share), mixed(c.x, d.x, across.share), down.share);
    const float move_y = mixed(mixed(a.y, b.y, across.share), mixed(c.y, d.y, across.share), down.share);
    out[y * width + x] = bilinear(depth, width, around((float)y + move_y * (float)height / (float)high, height),
                                  around((float)x + move_x * (float)width / (float)wide, width));
}

// What is new has lost its past; what was stirred stays so until it is fused.
extern "C" __global__ void carry_past(const float* __restrict__ weight, const float* __restrict__ drift,
                                      const float* __restrict__ stirred, const float2* __restrict__ flow,
                                      const float* __restrict__ fresh, const float* __restrict__ stirring,
                                      float* __restrict__ moved_weight, float* __restrict__ moved_drift,
                                      float* __restrict__ still_stirred, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const int at = y * width + x;
    const Between down = around((float)y + flow[at].y, height), across = around((float)x + flow[at].x, width);
    const float kept = 1.0f - fresh[at];
    moved_weight[at] = kept * bilinear(weight, width, down, across);
    moved_drift[at] = kept * bilinear(drift, width, down, across);
    still_stirred[at] = fmaxf(stirred[at], stirring[at]);
}

// The mean of what new depth adds, in cells of the small pictures.
extern "C" __global__ void innovation(const float* __restrict__ depth, const float* __restrict__ fresh, int height,
                                      int width, float* __restrict__ out, int high, int wide) {
    const int x = thread_x(), y = thread_y();
    if (x >= wide || y >= high) return;
    const Covered down = covered(y, high, height), across = covered(x, wide, width);
    float sum = 0.0f;
    for (int i = down.first; i < down.last; i++)
        for (int j = across.first; j < across.last; j++)
            sum += down.share(i) * across.share(j) * (fresh[i * width + j] - depth[i * width + j]);
    out[y * wide + x] = sum;
}

// Of every fourth cell each way, how far it strayed; -1 where too little is known to tell.
extern "C" __global__ void strayed(const float* __restrict__ innovation, const float* __restrict__ drift,
                                   const float* __restrict__ weight, float settled, int wide, float* __restrict__ out,
                                   int rows, int columns) {
    const int x = thread_x(), y = thread_y(), at = 4 * y * wide + 4 * x;
    if (x >= columns || y >= rows) return;
    out[y * columns + x] = weight[at] > settled ? fabsf(innovation[at] - drift[at]) : -1.0f;
}

// The two values in the middle of those that are not negative, and how many these are: each counts those below it.
extern "C" __global__ void middle_two(const float* __restrict__ values, int size, float* __restrict__ middle) {
    const int i = thread_x();
    if (i >= size) return;
    const float own = values[i];
    int count = 0, below = 0;
    for (int j = 0; j < size; j++) {
        const float value = values[j];
        count += value >= 0.0f;
        below += value >= 0.0f && (value < own || (value == own && j < i));
    }
    if (i == 0) middle[2] = (float)count;
    if (own < 0.0f) return;
    if (below == (count - 1) / 2) middle[0] = own;
    if (below == count / 2) middle[1] = own;
}

struct Rule {  // the constants of `kernels/cpu/temporal.py`; sigmas are of noise
    float outlier_sigmas, drift_rate, usual_sigmas, burst_sigmas, longest;
    float noise_rate, noise_least, noise_most, least_samples;
};

// The net's noise, followed slowly. 1.48: of the median of a normal distribution.
__device__ inline float followed(float noise, const float* middle, const Rule& rule) {
    if (middle[2] < rule.least_samples) return noise;
    const float seen = fminf(fmaxf(1.48f * 0.5f * (middle[0] + middle[1]), rule.noise_least), rule.noise_most);
    return noise + rule.noise_rate * (seen - noise);
}

// The share of new depth to believe, and what is known after it.
extern "C" __global__ void gains(const float* __restrict__ innovation, const float* __restrict__ weight,
                                 const float* __restrict__ drift, const float* __restrict__ stirred,
                                 const float* __restrict__ noise_before, const float* __restrict__ middle, Rule rule,
                                 float* __restrict__ gain, float* __restrict__ new_weight, 
                                 float* __restrict__ new_drift, float* __restrict__ new_noise, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const float noise = followed(*noise_before, middle, rule), most = rule.outlier_sigmas * noise;
    float sum = 0.0f, own = 0.0f;
    for (int i = -1; i < 2; i++)
        for (int j = -1; j < 2; j++) {
            const int at = mirrored(y + i, height) * width + mirrored(x + j, width);
            const float tame = fminf(fmaxf(innovation[at], -most), most);
            const float drifted = (1.0f - rule.drift_rate) * drift[at] + rule.drift_rate * tame;
            sum += drifted;
            if (i == 0 && j == 0) own = drifted;
        }
    const int at = y * width + x;
    const float usual = rule.usual_sigmas * noise, lag = fabsf(sum / 9.0f);
    const float burst = clipped(fabsf(innovation[at]) / (rule.burst_sigmas * noise) - 1.0f);
    float share = fmaxf(1.0f / (weight[at] + 1.0f), 1.0f - usual / fmaxf(lag, usual));
    share = fmaxf(share, burst * stirred[at]);
    gain[at] = share;
    new_weight[at] = fminf(1.0f / share, rule.longest);
    new_drift[at] = own;
    if (at == 0) *new_noise = noise;
}

extern "C" __global__ void believe(const float* __restrict__ depth, const float* __restrict__ fresh, int height,
                                   int width, const float* __restrict__ gain, int high, int wide,
                                   float* __restrict__ out) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const int at = y * width + x;
    out[at] = depth[at] + (fresh[at] - depth[at]) * bilinear(gain, wide, between(y, height, high), between(x, width, wide));
}
