/// JPEG and PNG through libjpeg and libpng. Their setjmp error handling stays inside: every function returns a code and,
/// on failure, writes why into `message`.
#ifndef TRIPTYCH_CIMAGECODECS_H
#define TRIPTYCH_CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

enum { cimage_message_bytes = 200 };

typedef enum {
    cimage_ok = 0,
    cimage_corrupt = 1,
    /// `cimage_watch.is_over` said so.
    cimage_stopped = 2,
    /// More scans than `cimage_watch.passes` allows.
    cimage_too_much_work = 3,
} cimage_status;

/// What a decoding may take.
typedef struct {
    /// Asked at the start and then each 64 KiB of pixels or row of a scan's blocks: anything but 0 ends the decoding.
    int32_t (*is_over)(void *context);
    void *context;
    /// How many times as many blocks as the image has its scans may go through. A scan of a few bytes can go through all.
    int32_t passes;
} cimage_watch;

/// What a file's header says. `channels` and `depth` are those of the pixels that decoding gives: 1, 3 or, for JPEG's
/// CMYK, 4 channels of 8 bits, or 1 channel of 16 bits.
typedef struct {
    int32_t width, height, channels, depth;
    /// Whether CMYK values are stored inverted, as Adobe's programs do.
    int32_t inverted;
} cimage_info;

/// Reads the header only: nothing is allocated for pixels.
cimage_status cjpeg_header(const uint8_t *bytes, size_t count, cimage_info *info, char *message);
/// Decodes into `pixels`, rows top to bottom, at `eighths` eighths of the image's size (8: all of it), each side rounded
/// up: of `size` bytes, or it is an error. Truncated or damaged data is an error at any size, arithmetic coding as well:
/// no camera writes it, and libjpeg takes its end for zeros.
cimage_status cjpeg_decode(const uint8_t *bytes, size_t count, int32_t eighths, uint8_t *pixels, size_t size,
                           const cimage_watch *watch, char *message);
/// Encodes grey (1) or RGB (3) pixels. `subsampled` halves the colour planes (4:2:0). Free the result with
/// `cimage_free`.
cimage_status cjpeg_encode(const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int32_t quality,
                           int32_t subsampled, uint8_t **bytes, size_t *count, char *message);

cimage_status cpng_header(const uint8_t *bytes, size_t count, cimage_info *info, char *message);
/// Decodes into `pixels`, width·height·channels·depth/8 bytes; 16-bit values in the machine's order. Alpha is dropped,
/// palettes and low depths are expanded, 16-bit colour keeps its high bytes. No chunk changes a pixel but IHDR, PLTE and
/// IDAT: others are passed over, whatever they would inflate to, and so is what IDAT holds beyond the last row.
cimage_status cpng_decode(const uint8_t *bytes, size_t count, void *pixels, size_t size, const cimage_watch *watch,
                          char *message);
/// Encodes grey or RGB pixels of 8 bits, or grey ones of 16.
cimage_status cpng_encode(const void *pixels, int32_t width, int32_t height, int32_t channels, int32_t depth,
                          uint8_t **bytes, size_t *count, char *message);

void cimage_free(uint8_t *bytes);

#endif
