#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "include/CImageCodecs.h"

typedef struct {
    struct jpeg_error_mgr manager;
    jmp_buf escape;
    char *message;
    volatile cimage_status status;  // Written between setjmp and longjmp.
} error_state;

/// What decoding has taken, of what it may.
typedef struct {
    struct jpeg_progress_mgr manager;
    const cimage_watch *watch;
    /// Whether scans are being read, all of them before the first row comes out.
    int is_reading;
    int64_t blocks, most_blocks;
} progress_state;

static void fail(j_common_ptr codec) {
    error_state *state = (error_state *)codec->err;
    char text[JMSG_LENGTH_MAX];
    state->manager.format_message(codec, text);
    snprintf(state->message, cimage_message_bytes, "%s", text);
    longjmp(state->escape, 1);
}

/// Warnings (level -1) are damage that libjpeg paints over; here they are errors.
static void warn(j_common_ptr codec, int level) {
    if (level < 0) fail(codec);
}

static void give_up(j_decompress_ptr codec, cimage_status status, const char *why) {
    error_state *state = (error_state *)codec->err;
    state->status = status;
    snprintf(state->message, cimage_message_bytes, "%s", why);
    longjmp(state->escape, 1);
}

/// Called before each row of a scan's blocks is read, and before each row of pixels.
static void advance(j_common_ptr any) {
    j_decompress_ptr codec = (j_decompress_ptr)any;
    progress_state *progress = (progress_state *)any->progress;
    if (progress->watch->is_over(progress->watch->context)) give_up(codec, cimage_stopped, "stopped");
    if (!progress->is_reading) return;
    int rows = codec->comps_in_scan == 1 ? codec->cur_comp_info[0]->v_samp_factor : 1;
    progress->blocks += (int64_t)codec->MCUs_per_row * codec->blocks_in_MCU * rows;
    if (progress->blocks > progress->most_blocks) give_up(codec, cimage_too_much_work, "too many scans");
}

/// Reads all scans if there are several, under the watch.
static void read_scans(j_decompress_ptr codec, progress_state *progress, const cimage_watch *watch) {
    memset(progress, 0, sizeof *progress);
    progress->manager.progress_monitor = advance;
    progress->watch = watch;
    progress->is_reading = 1;
    // The call before a scan's header counts as a row as well: too much for images of few rows, and this makes it good.
    enum { headers = 1 << 14 };
    progress->most_blocks = headers;
    for (int c = 0; c < codec->num_components; c++) {
        jpeg_component_info *of = &codec->comp_info[c];
        progress->most_blocks += (int64_t)watch->passes * of->width_in_blocks * of->height_in_blocks;
    }
    codec->progress = &progress->manager;
    jpeg_start_decompress(codec);
    progress->is_reading = 0;
}

static struct jpeg_error_mgr *errors_of(error_state *state, char *message) {
    state->message = message;
    state->status = cimage_corrupt;
    message[0] = 0;
    jpeg_std_error(&state->manager);
    state->manager.error_exit = fail;
    state->manager.emit_message = warn;
    return &state->manager;
}

/// Reads the header and chooses the colour space that decoding gives.
static void start(j_decompress_ptr codec, const uint8_t *bytes, size_t count) {
    jpeg_mem_src(codec, bytes, count);
    jpeg_read_header(codec, TRUE);
    if (codec->arith_code) give_up(codec, cimage_corrupt, "arithmetic coding, expected Huffman coding");
    switch (codec->jpeg_color_space) {
    case JCS_GRAYSCALE: codec->out_color_space = JCS_GRAYSCALE; break;
    case JCS_CMYK:
    case JCS_YCCK: codec->out_color_space = JCS_CMYK; break;
    default: codec->out_color_space = JCS_RGB; break;
    }
}

cimage_status cjpeg_header(const uint8_t *bytes, size_t count, cimage_info *info, char *message) {
    struct jpeg_decompress_struct codec;
    error_state state;
    memset(&codec, 0, sizeof codec);
    codec.err = errors_of(&state, message);
    if (setjmp(state.escape)) {
        jpeg_destroy_decompress(&codec);
        return cimage_corrupt;
    }
    jpeg_create_decompress(&codec);
    start(&codec, bytes, count);
    info->width = (int32_t)codec.image_width;
    info->height = (int32_t)codec.image_height;
    info->channels = codec.out_color_space == JCS_GRAYSCALE ? 1 : codec.out_color_space == JCS_CMYK ? 4 : 3;
    info->depth = 8;
    info->inverted = codec.saw_Adobe_marker;
    jpeg_destroy_decompress(&codec);
    return cimage_ok;
}

cimage_status cjpeg_decode(const uint8_t *bytes, size_t count, int32_t eighths, uint8_t *pixels, size_t size,
                           const cimage_watch *watch, char *message) {
    struct jpeg_decompress_struct codec;
    progress_state progress;
    error_state state;
    memset(&codec, 0, sizeof codec);
    codec.err = errors_of(&state, message);
    if (setjmp(state.escape)) {
        jpeg_destroy_decompress(&codec);
        return state.status;
    }
    jpeg_create_decompress(&codec);
    start(&codec, bytes, count);
    codec.scale_num = (unsigned)eighths;
    codec.scale_denom = 8;
    read_scans(&codec, &progress, watch);
    size_t row = (size_t)codec.output_width * (size_t)codec.output_components;
    if (row * codec.output_height != size) give_up(&codec, cimage_corrupt, "a size that is not expected");
    while (codec.output_scanline < codec.output_height) {
        JSAMPROW target = pixels + (size_t)codec.output_scanline * row;
        jpeg_read_scanlines(&codec, &target, 1);
    }
    jpeg_finish_decompress(&codec);
    jpeg_destroy_decompress(&codec);
    return cimage_ok;
}

cimage_status cjpeg_encode(const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int32_t quality,
                           int32_t subsampled, uint8_t **bytes, size_t *count, char *message) {
    struct jpeg_compress_struct codec;
    error_state state;
    unsigned char *volatile buffer = NULL;
    unsigned long size = 0;
    memset(&codec, 0, sizeof codec);
    codec.err = errors_of(&state, message);
    if (setjmp(state.escape)) {
        jpeg_destroy_compress(&codec);
        free(buffer);
        return cimage_corrupt;
    }
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, (unsigned char **)&buffer, &size);
    codec.image_width = (JDIMENSION)width;
    codec.image_height = (JDIMENSION)height;
    codec.input_components = channels;
    codec.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, quality, TRUE);
    if (channels == 3 && !subsampled) codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&codec, TRUE);
    while (codec.next_scanline < codec.image_height) {
        JSAMPROW source = (JSAMPROW)pixels + (size_t)codec.next_scanline * (size_t)width * (size_t)channels;
        jpeg_write_scanlines(&codec, &source, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    *bytes = buffer;
    *count = size;
    return cimage_ok;
}

void cimage_free(uint8_t *bytes) { free(bytes); }
