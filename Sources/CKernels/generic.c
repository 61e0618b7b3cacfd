// The kernels for any machine: SSE2 on x86-64, NEON on ARM.
#include "instructions.h"

#define LANES 4
#define PANEL_REGISTERS 2
#include "vectors.h"
#include "product_tile.h"
#include "softmax.h"
#include "strassen_tile.h"
#include "winograd_transforms.h"

const instruction_set generic_instructions = {
    .lanes = LANES, .panel = LANES * PANEL_REGISTERS, .product = product, .gelu = gelu_of_rows,
    .softmax = softmax, .winograd_input = winograd_input, .winograd_output = winograd_output,
    .strassen_product = strassen_product, .add_blocks = add_blocks, .strassen_sums = strassen_sums};
