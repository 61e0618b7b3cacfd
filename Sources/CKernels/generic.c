// The kernels for any machine: SSE2 on x86-64, NEON on ARM.
#include "instructions.h"
#include "narrow_kernels.h"

#define LANES 4
#define PANEL_REGISTERS 2
#include "vectors.h"
#include "product_tile.h"
#include "softmax.h"
#include "strassen_tile.h"
#include "winograd_transforms.h"

const instruction_set generic_instructions = {
    .lanes = LANES, .panel = LANES * PANEL_REGISTERS, .product = product, .curves = {gelu_of_rows, quick_gelu_of_rows},
    .softmax = softmax, .winograd_input = winograd_input, .winograd_output = winograd_output,
    .strassen_product = strassen_product, .add_blocks = add_blocks, .strassen_sums = strassen_sums};

#include "narrow_words.h"
#include "narrow_rows.h"

INLINE ivec add_codes(ivec sum, ivec x, ivec w) {
    UNROLLED (int k = 0; k < 4; k++) sum += (ivec)((uvec)x << (24 - 8 * k) >> 24) * (w << (24 - 8 * k) >> 24);
    return sum;
}

#define SUMS ivec
#define add_word add_codes
#define finished finished_codes
#define NARROW_PRODUCT generic_codes_product
#define HAS_MAPS 1
#include "narrow_tile.h"

#define SUMS vec
#define add_word add_halves_plainly
#define finished finished_halves
#define NARROW_PRODUCT generic_halves_product
#define HAS_MAPS 0
#include "narrow_tile.h"

const narrowing_kernels generic_narrowing = {.range = range_of_row, .encode = encode_row, .round = round_row,
                                                .encode_halves = encode_halves_row};
