/* The one entry point that libFuzzer calls; see README.md. */
#ifndef CORM_FUZZ_H
#define CORM_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
