// An 8-bit sRGB rendition of pictures of 16 bits, or of HDR.
#include "index.cuh"

#ifdef DEEP
typedef ushort Code;
#else
typedef uchar Code;
#endif

extern "C" __global__ void to_8_bits(const ushort* __restrict__ picture, int size, uchar* __restrict__ out) {
    const int i = thread_x();
    if (i < size) out[i] = rounded_8((float)picture[i] / 257.0f);
}

struct Primaries {  // of one system from those of another
    float row[3][3];
};

// toned: the light on an SDR display of each 16-bit code value. to_code: the code value of each of 65536 levels of light.
extern "C" __global__ void from_hdr(const Code* __restrict__ picture, int pixels, const float* __restrict__ toned,
                                    Primaries primaries, const uchar* __restrict__ to_code, uchar* __restrict__ out) {
    const int i = thread_x();
    if (i >= pixels) return;
    float light[3];
    for (int c = 0; c < 3; c++) light[c] = toned[(int)picture[3ll * i + c] * (sizeof(Code) == 1 ? 257 : 1)];
    for (int c = 0; c < 3; c++) {
        const float* row = primaries.row[c];
        const float shown = clipped(row[0] * light[0] + row[1] * light[1] + row[2] * light[2]);
        out[3ll * i + c] = to_code[(int)rintf(shown * 65535.0f)];
    }
}
