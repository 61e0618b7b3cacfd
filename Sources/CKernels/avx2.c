// The kernels for AVX2.
#include "instructions.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define LANES 8
#define PANEL_REGISTERS 2
#include "vectors.h"
#include "product_tile.h"
#include "softmax.h"
#include "strassen_tile.h"
#include "winograd_transforms.h"

const instruction_set avx2_instructions = {
    .lanes = LANES, .panel = LANES * PANEL_REGISTERS, .product = product, .gelu = gelu_of_rows,
    .softmax = softmax, .winograd_input = winograd_input, .winograd_output = winograd_output,
    .strassen_product = strassen_product, .add_blocks = add_blocks, .strassen_sums = strassen_sums};

#pragma clang attribute pop
#endif
