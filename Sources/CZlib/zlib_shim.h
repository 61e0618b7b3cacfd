#include <stdlib.h>
#include <zlib.h>

// deflateInit2 is a macro, and a stream must not move.

/// A stream that writes gzip's format; NULL without memory.
static inline z_stream *gzip_open(int level) {
    z_stream *stream = (z_stream *)calloc(1, sizeof(z_stream));
    if (stream && deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(stream);
        return NULL;
    }
    return stream;
}

/// Frees a stream; NULL is none.
static inline void gzip_close(z_stream *stream) {
    if (!stream) return;
    deflateEnd(stream);
    free(stream);
}
