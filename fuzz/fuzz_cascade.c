/* The words of a cascade: known ones give their bits, others an error that names them. */
#include <assert.h>

#include "fuzz.h"

#include "base/alloc.h"
#include "orm/mapper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = corm_strndup((const char *)data, size);
    uint32_t bits = 0;
    if (text != NULL && corm_cascade_parse(text, &bits) != CORM_OK) {
        assert(corm_error_last()->status == CORM_ARGUMENT_ERROR);
    }
    corm_free(text);
    return 0;
}
