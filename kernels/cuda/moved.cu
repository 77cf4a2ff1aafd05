// What motion explains, and what it does not: new, and stirred. The steps are those of `kernels/cpu/temporal.py`.
#include "sample.cuh"
#include "index.cuh"

const int STIRRED_REACH = 3;

// The picture before, where flow says it went.
extern "C" __global__ void moved(const uchar* __restrict__ before, const float2* __restrict__ flow,
                                 uchar* __restrict__ out, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    const float2 from = flow[y * width + x];
    const Between down = around((float)y + from.y, height), across = around((float)x + from.x, width);
    const uchar *above = before + 3 * down.first * width, *below = before + 3 * down.second * width;
    for (int c = 0; c < 3; c++) {
        const float first = mixed(above[3 * across.first + c], above[3 * across.second + c], across.share);
        const float second = mixed(below[3 * across.first + c], below[3 * across.second + c], across.share);
        out[3 * (y * width + x) + c] = rounded_8(mixed(first, second, down.share));
    }
}

// The mean of 3 × 3: what is smaller than a pixel moves without a trace.
__device__ inline int calm(const uchar* picture, int height, int width, int y, int x, int channel) {
    int sum = 0;
    for (int i = -1; i < 2; i++)
        for (int j = -1; j < 2; j++)
            sum += picture[3 * (mirrored_101(y + i, height) * width + mirrored_101(x + j, width)) + channel];
    return rounded_8((float)sum / 9.0f);
}

// Flow stays where it explains more than standing still. fresh: 0–1, what neither explains, and what comes in at the
// border. still: the difference to the same place before.
extern "C" __global__ void explained(const uchar* __restrict__ now, const uchar* __restrict__ before,
                                     const uchar* __restrict__ moved, const float2* __restrict__ flow,
                                     float2* __restrict__ trusted, float* __restrict__ fresh, uchar* __restrict__ still,
                                     int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    int left = 0, stood = 0;
    for (int c = 0; c < 3; c++) {
        const int own = calm(now, height, width, y, x, c);
        left = max(left, abs(own - calm(moved, height, width, y, x, c)));
        stood = max(stood, abs(own - calm(before, height, width, y, x, c)));
    }
    const int at = y * width + x;
    const float from_x = (float)x + flow[at].x, from_y = (float)y + flow[at].y;
    const bool outside = from_x < -0.5f || from_x > (float)width - 0.5f || from_y < -0.5f || from_y > (float)height - 0.5f;
    trusted[at] = stood > left ? flow[at] : make_float2(0.0f, 0.0f);
    fresh[at] = outside ? 1.0f : clipped((float)(min(left, stood) - 4) / 8.0f);
    still[at] = (uchar)stood;
}

extern "C" __global__ void stir(const uchar* __restrict__ still, float* __restrict__ stirred, int height, int width) {
    const int x = thread_x(), y = thread_y();
    if (x >= width || y >= height) return;
    int most = 0;
    for (int i = max(y - STIRRED_REACH, 0); i <= min(y + STIRRED_REACH, height - 1); i++)
        for (int j = max(x - STIRRED_REACH, 0); j <= min(x + STIRRED_REACH, width - 1); j++)
            most = max(most, (int)still[i * width + j]);
    stirred[y * width + x] = clipped((float)(most - 3) / 5.0f);
}
