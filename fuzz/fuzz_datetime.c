/* Dates and times: what is parsed is valid, and its printed form parses to the same. */
#include <assert.h>

#include "fuzz.h"

#include "type/datetime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const corm_kind kinds[] = {CORM_KIND_DATE, CORM_KIND_TIME, CORM_KIND_DATETIME};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        corm_value value, again;
        char printed[CORM_DATETIME_MAX];
        if (corm_datetime_parse(kinds[i], (const char *)data, size, &value) != CORM_OK) {
            continue;
        }
        assert(corm_datetime_is_valid(&value.as.datetime, kinds[i]));
        size_t length = corm_datetime_format(kinds[i], &value.as.datetime, 'T', true, printed);
        assert(length <= sizeof printed);
        assert(corm_datetime_parse(kinds[i], printed, length, &again) == CORM_OK);
        assert(corm_value_equal(&value, &again));
    }
    return 0;
}
