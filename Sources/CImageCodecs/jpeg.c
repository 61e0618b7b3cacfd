#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "include/CImageCodecs.h"

/// More scans than any encoder writes; each costs a pass over the whole image, so a small file could ask for hours.
enum { most_scans = 200 };

typedef struct {
    struct jpeg_error_mgr manager;
    jmp_buf escape;
    char *message;
} error_state;

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

static void watch_scans(j_common_ptr codec) {
    error_state *state = (error_state *)codec->err;
    if (((j_decompress_ptr)codec)->input_scan_number <= most_scans) return;
    snprintf(state->message, cimage_message_bytes, "more than %d scans", most_scans);
    longjmp(state->escape, 1);
}

static struct jpeg_error_mgr *errors_of(error_state *state, char *message) {
    state->message = message;
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
                           char *message) {
    struct jpeg_decompress_struct codec;
    struct jpeg_progress_mgr progress;
    error_state state;
    memset(&codec, 0, sizeof codec);
    memset(&progress, 0, sizeof progress);
    codec.err = errors_of(&state, message);
    if (setjmp(state.escape)) {
        jpeg_destroy_decompress(&codec);
        return cimage_corrupt;
    }
    jpeg_create_decompress(&codec);
    progress.progress_monitor = watch_scans;
    codec.progress = &progress;
    start(&codec, bytes, count);
    codec.scale_num = (unsigned)eighths;
    codec.scale_denom = 8;
    jpeg_start_decompress(&codec);
    size_t row = (size_t)codec.output_width * (size_t)codec.output_components;
    if (row * codec.output_height != size) {
        snprintf(message, cimage_message_bytes, "a size that is not expected");
        longjmp(state.escape, 1);
    }
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
