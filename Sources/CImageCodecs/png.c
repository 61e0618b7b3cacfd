#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "include/CImageCodecs.h"

/// Bytes of a file in memory, read front to back.
typedef struct {
    const uint8_t *bytes;
    size_t count, position;
} source;

/// Bytes of a file being written.
typedef struct {
    uint8_t *bytes;
    size_t count, capacity;
} sink;

static void fail(png_structp codec, png_const_charp why) {
    snprintf(png_get_error_ptr(codec), cimage_message_bytes, "%s", why);
    longjmp(png_jmpbuf(codec), 1);
}

static void ignore(png_structp codec, png_const_charp why) { (void)codec, (void)why; }

static void take(png_structp codec, png_bytep target, png_size_t count) {
    source *from = png_get_io_ptr(codec);
    if (count > from->count - from->position) png_error(codec, "the file ends early");
    memcpy(target, from->bytes + from->position, count);
    from->position += count;
}

/// Damage is an error. Ancillary chunks are passed over unread: none of them changes a pixel, and a text of a few
/// kilobytes inflates to megabytes.
static void set_policy(png_structp codec) {
    png_set_crc_action(codec, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(codec, 0x7fffffff, 0x7fffffff);  // The caller checks; it knows the limit's name.
    png_set_keep_unknown_chunks(codec, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(codec, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep)"tRNS", 1);
}

/// Asks for the transformations that give grey, RGB or 16-bit grey.
static void describe(png_structp codec, png_infop header, cimage_info *info) {
    int type = png_get_color_type(codec, header), depth = png_get_bit_depth(codec, header);
    int is_colour = type & PNG_COLOR_MASK_COLOR;
    info->width = (int32_t)png_get_image_width(codec, header);
    info->height = (int32_t)png_get_image_height(codec, header);
    info->channels = is_colour ? 3 : 1;
    info->depth = !is_colour && depth == 16 ? 16 : 8;
    info->inverted = 0;
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(codec);
    if (!is_colour && depth < 8) png_set_expand_gray_1_2_4_to_8(codec);
    if (depth == 16 && is_colour) png_set_strip_16(codec);
    if (info->depth == 16) png_set_swap(codec);
    png_set_strip_alpha(codec);
    png_set_interlace_handling(codec);
}

cimage_status cpng_header(const uint8_t *bytes, size_t count, cimage_info *info, char *message) {
    message[0] = 0;
    source from = {bytes, count, 0};
    png_structp codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore);
    png_infop header = codec ? png_create_info_struct(codec) : NULL;
    if (!header || setjmp(png_jmpbuf(codec))) {
        png_destroy_read_struct(&codec, &header, NULL);
        return cimage_corrupt;
    }
    set_policy(codec);
    png_set_read_fn(codec, &from, take);
    png_read_info(codec, header);
    describe(codec, header, info);
    png_destroy_read_struct(&codec, &header, NULL);
    return cimage_ok;
}

/// An image whose rows come one by one, as libpng is given its bytes. Reading them from libpng instead would inflate
/// whatever follows the last row: twenty megabytes become twenty gigabytes.
typedef struct {
    uint8_t *pixels;
    size_t size, row;
    int32_t height;
    /// Bytes of rows since the watch was asked.
    size_t unwatched;
    const cimage_watch *watch;
    int is_complete;
    volatile cimage_status status;  // Written between setjmp and longjmp.
} target;

static void give_up(png_structp codec, cimage_status status, const char *why) {
    target *to = png_get_progressive_ptr(codec);
    to->status = status;
    png_error(codec, why);
}

static void ask(png_structp codec, target *to) {
    to->unwatched = 0;
    if (to->watch->is_over(to->watch->context)) give_up(codec, cimage_stopped, "stopped");
}

static void take_header(png_structp codec, png_infop header) {
    target *to = png_get_progressive_ptr(codec);
    cimage_info info;
    describe(codec, header, &info);
    png_read_update_info(codec, header);  // Takes memory for a row: never before the caller has judged the size.
    to->row = (size_t)info.width * (size_t)info.channels * (size_t)(info.depth / 8);
    to->height = info.height;
    if (png_get_rowbytes(codec, header) != to->row || to->row * (size_t)info.height != to->size)
        png_error(codec, "a kind of pixels that is not expected");
    ask(codec, to);
}

static void take_row(png_structp codec, png_bytep bytes, png_uint_32 y, int pass) {
    (void)pass;
    enum { watched_each = 64 << 10, bytes_of_call = 64 };
    target *to = png_get_progressive_ptr(codec);
    png_progressive_combine_row(codec, to->pixels + (size_t)y * to->row, bytes);
    to->unwatched += to->row + bytes_of_call;
    if (to->unwatched >= watched_each) ask(codec, to);
}

static void take_end(png_structp codec, png_infop header) {
    target *to = png_get_progressive_ptr(codec);
    int is_interlaced = png_get_interlace_type(codec, header) != PNG_INTERLACE_NONE;
    to->is_complete = is_interlaced ? png_get_current_pass_number(codec) >= PNG_INTERLACE_ADAM7_PASSES
                                    : png_get_current_row_number(codec) >= (png_uint_32)to->height;
}

cimage_status cpng_decode(const uint8_t *bytes, size_t count, void *pixels, size_t size, const cimage_watch *watch,
                          char *message) {
    message[0] = 0;
    target to = {.pixels = pixels, .size = size, .watch = watch, .status = cimage_corrupt};
    png_structp codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore);
    png_infop header = codec ? png_create_info_struct(codec) : NULL;
    if (!header || setjmp(png_jmpbuf(codec))) {
        png_destroy_read_struct(&codec, &header, NULL);
        return to.status;
    }
    set_policy(codec);
    png_set_progressive_read_fn(codec, &to, take_header, take_row, take_end);
    png_process_data(codec, header, (png_bytep)bytes, count);  // All at once: a part of a chunk would be copied.
    if (!to.is_complete) png_error(codec, "the file or its rows end early");
    png_destroy_read_struct(&codec, &header, NULL);
    return cimage_ok;
}

static void put(png_structp codec, png_bytep bytes, png_size_t count) {
    sink *to = png_get_io_ptr(codec);
    if (to->count + count > to->capacity) {
        size_t capacity = (to->count + count) * 2;
        uint8_t *grown = realloc(to->bytes, capacity);
        if (!grown) png_error(codec, "out of memory");
        to->bytes = grown;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

static void flush(png_structp codec) { (void)codec; }

cimage_status cpng_encode(const void *pixels, int32_t width, int32_t height, int32_t channels, int32_t depth,
                          uint8_t **bytes, size_t *count, char *message) {
    message[0] = 0;
    sink to = {NULL, 0, 0};
    png_structp codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, fail, ignore);
    png_infop header = codec ? png_create_info_struct(codec) : NULL;
    if (!header || setjmp(png_jmpbuf(codec))) {
        png_destroy_write_struct(&codec, &header);
        free(to.bytes);
        return cimage_corrupt;
    }
    png_set_write_fn(codec, &to, put, flush);
    png_set_IHDR(codec, header, (png_uint_32)width, (png_uint_32)height, depth,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(codec, header);
    if (depth == 16) png_set_swap(codec);
    size_t row = (size_t)width * (size_t)channels * (size_t)(depth / 8);
    for (int32_t y = 0; y < height; y++) png_write_row(codec, (png_const_bytep)pixels + (size_t)y * row);
    png_write_end(codec, NULL);
    png_destroy_write_struct(&codec, &header);
    *bytes = to.bytes;
    *count = to.count;
    return cimage_ok;
}
