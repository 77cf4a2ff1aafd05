// Between two grids over the same picture. In whole numbers, so that a pixel's place is exact at any size.
#pragma once

struct Between {  // two neighbours, and the share of the second
    int first, second;
    float share;
};

// Where the middle of `index` of `to` lies between the middles of `from`; beyond the outermost, on them.
__device__ inline Between between(int index, int to, int from) {
    if (from == to) return {index, index, 0.0f};
    const int place = (2 * index + 1) * from - to, step = 2 * to;
    const int first = place < 0 ? -1 : place / step;
    if (first < 0) return {0, 0, 0.0f};
    if (first >= from - 1) return {from - 1, from - 1, 0.0f};
    return {first, first + 1, (float)(place - first * step) / (float)step};
}

// As above, for any place in pixels of a line.
__device__ inline Between around(float place, int size) {
    const float at = fminf(fmaxf(place, 0.0f), (float)(size - 1));
    const int first = (int)at;
    return {first, first + 1 < size ? first + 1 : first, at - (float)first};
}

__device__ inline float mixed(float a, float b, float share) { return a + share * (b - a); }

__device__ inline float bilinear(const float* plane, int wide, Between down, Between across) {
    const float *above = plane + (long long)down.first * wide, *below = plane + (long long)down.second * wide;
    return mixed(mixed(above[across.first], above[across.second], across.share),
                 mixed(below[across.first], below[across.second], across.share), down.share);
}

struct Covered {  // what one of `to` equal cells covers of `from` pixels: from `first` up to and without `last`
    int index, to, from, first, last;
    __device__ float share(int pixel) const {  // of the cell that the pixel fills
        const int start = max(pixel * to, index * from), end = min((pixel + 1) * to, (index + 1) * from);
        return (float)(end - start) / (float)from;
    }
};

__device__ inline Covered covered(int index, int to, int from) {
    return {index, to, from, index * from / to, ((index + 1) * from + to - 1) / to};
}
