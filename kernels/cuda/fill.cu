// Values for what nothing showed, from what lies around: pull-push (Gortler et al. 1996, doi:10.1145/237170.237200).
// All planes at once; each goes down to a grid of a few cells, and back up.
#include "cells.cuh"

const float TINY = 1e-6f;

// Means of what was seen, at half the size. visible: of a cell the share that was; cells that are partly seen are known
// nearly as well as whole ones.
extern "C" __global__ void pull(Cell* cells, Share* visible, Level fine, Level coarse) {
    const int x = thread_x(), y = thread_y(), z = thread_z(), wide = fine.width[z];
    if (x >= coarse.width[z] || y >= coarse.height[z]) return;
    const Covered down = covered(y, coarse.height[z], fine.height[z]), across = covered(x, coarse.width[z], wide);
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float share = 0.0f;
    for (int i = down.first; i < down.last; i++)
        for (int j = across.first; j < across.last; j++) {
            const int at = fine.start[z] + i * wide + j;
            const float part = down.share(i) * across.share(j);
            sum = sum + part * cell_in(cells + at);
            share += part * share_in(visible + at);
        }
    const float known = fminf(4.0f * share, 1.0f);
    const int at = coarse.start[z] + y * coarse.width[z] + x;
    keep_cell(cells + at, (known / fmaxf(share, TINY)) * sum);
    keep_share(visible + at, known);
}

// On the smallest grid the mean of all that is known fills the rest. One thread for each plane: there are few cells.
extern "C" __global__ void rest(Cell* cells, const Share* __restrict__ visible, Level level, int count) {
    const int z = thread_x();
    if (z >= count) return;
    const int size = level.height[z] * level.width[z], start = level.start[z];
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float known = 0.0f;
    for (int i = start; i < start + size; i++) {
        sum = sum + cell_in(cells + i);
        known += share_in(visible + i);
    }
    const float4 mean = (1.0f / fmaxf(known, TINY)) * sum;
    for (int i = start; i < start + size; i++)
        keep_cell(cells + i, cell_in(cells + i) + (1.0f - share_in(visible + i)) * mean);
}

// What was hidden, from the grid of half the size. What was seen whole keeps its value.
extern "C" __global__ void push(Cell* cells, const Share* __restrict__ visible, Level fine, Level coarse) {
    const int x = thread_x(), y = thread_y(), z = thread_z();
    if (x >= fine.width[z] || y >= fine.height[z] || coarse.height[z] == 0) return;
    const int at = fine.start[z] + y * fine.width[z] + x;
    const float hidden = 1.0f - share_in(visible + at);
    if (hidden <= 0.0f) return;
    const float4 guess = bilinear(cells + coarse.start[z], coarse.width[z], between(y, fine.height[z], coarse.height[z]),
                                  between(x, fine.width[z], coarse.width[z]));
    keep_cell(cells + at, cell_in(cells + at) + hidden * guess);
}
