// What changes from picture to picture while its planes keep their places: a pointer to it stays the same.
#pragma once
#include "planes.cuh"

struct Blurs {
    float radius[MOST_PLANES];  // in cells of the plane
    int reach[MOST_PLANES];     // taps on each side of the middle
    int step[MOST_PLANES];      // cells from tap to tap: 1, but for circles larger than the picture
    int start[MOST_PLANES];     // of its weights
};

struct Shot {
    Scene scene;
    Planes planes;
    Blurs blurs;
};
