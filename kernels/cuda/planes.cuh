// The scene that is cut into planes, and which share of a pixel belongs to which.
#pragma once
#include "cells.cuh"

struct Scene {
    int height, width;              // of the picture
    int depth_height, depth_width;  // of its inverse depth
    int top, left, high, wide;      // of the picture within itself mirrored on, and of that
    int base;                       // pixels along a cell of the finest grid
    float reach, offset, blunt;     // signed radius = reach · inverse depth − offset, less what is within ± blunt
    float front_px, back_px;        // radii of the planes next to the focus; 0 = there is none
};

struct Plane {
    int side;            // FRONT, BACK or HIDDEN
    int scale;           // cells of the finest grid along one of the plane's
    float inner, outer;  // radii in pixels of the plane before it on the way from the focus, and of itself
    float beyond;        // radius of the plane after it; 0 = it is the last
};

struct Planes {
    int count;
    Plane plane[MOST_PLANES];
};

const int FRONT = 0, BACK = 1, HIDDEN = 2;
const float SHARP_PX = 0.5f;

// Of a pixel of the picture mirrored on: positive before the focus, negative behind it.
__device__ inline float radius_at(const float* inverse_depth, const Scene& scene, int y, int x) {
    const int row = mirrored(y - scene.top, scene.height), column = mirrored(x - scene.left, scene.width);
    const float depth = bilinear(inverse_depth, scene.depth_width, between(row, scene.height, scene.depth_height),
                                 between(column, scene.width, scene.depth_width));
    const float apart = depth * scene.reach - scene.offset;
    return apart - fminf(fmaxf(apart, -scene.blunt), scene.blunt);
}

// The share of a pixel that lies on the planes from `outer` on outward; `inner` is the plane before.
__device__ inline float share_beyond(float radius, float inner, float outer) {
    return outer > 0.0f ? clipped((radius - inner) / (outer - inner)) : 0.0f;
}

struct InFocus {
    float own, visible;  // the share of a pixel that is in focus, and the share that is not before the focus
};

__device__ inline InFocus in_focus(float radius, const Scene& scene) {
    const float visible = 1.0f - share_beyond(radius, SHARP_PX, scene.front_px);
    return {visible - share_beyond(-radius, SHARP_PX, scene.back_px), visible};
}

// The share of a cell that lies on a plane, and the share of it that could be seen there.
__device__ inline InFocus on_plane(const Plane& plane, float radius, float purity, const Scene& scene) {
    if (plane.side == HIDDEN) return in_focus(radius, scene);
    const float outward = plane.side == FRONT ? radius : -radius, factor = plane.side == FRONT ? 1.0f : purity;
    const float reached = factor * share_beyond(outward, plane.inner, plane.outer);
    const float after = factor * share_beyond(outward, plane.outer, plane.beyond);
    return {reached - after, plane.side == FRONT ? 1.0f - after : reached};
}
