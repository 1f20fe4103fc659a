/* Arrays, ranges, pairs and intervals as texts: nothing is read beyond their ends, and what is written is read again. */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "type/interval.h"
#include "type/items.h"

const char *const fuzz_seeds[] = {"{1,2,NULL}",
                                  "{{\"a,b\",\"\\\\\"},{c,\"\"}}",
                                  "[0:1]={1,2}",
                                  "[1,10)",
                                  "(\"a \"\"b\",]",
                                  "empty",
                                  "{[1,2),[5,)}",
                                  "\"a\"=>\"1\", \"b\"=>NULL",
                                  "1 year 2 mons -3 days 04:05:06.789",
                                  "P1Y2M-3DT4H5M6.7S",
                                  NULL};

static void try_array(const char *text, size_t size) {
    corm_items items;
    corm_item_token token = CORM_ITEM_NULL;
    const char *item;
    size_t item_size;
    corm_text again = CORM_TEXT_EMPTY;
    corm_items_open(text, size, &items);
    while (corm_items_next(&items, &token, &item, &item_size) == CORM_OK && token != CORM_ITEM_END) {
        must(items.depth >= 0 && items.depth <= CORM_ARRAY_DEPTH);
        if (token != CORM_ITEM_TEXT) {
            continue;
        }
        corm_text_truncate(&again, 0);
        corm_text_append_char(&again, '{');
        corm_items_append(&again, item, item_size);
        corm_text_append_char(&again, '}');
        corm_items one;
        const char *back;
        size_t back_size;
        corm_items_open(again.data, again.size, &one);
        must(corm_items_next(&one, &token, &back, &back_size) == CORM_OK && token == CORM_ITEM_OPEN);
        must(corm_items_next(&one, &token, &back, &back_size) == CORM_OK && token == CORM_ITEM_TEXT);
        must(back_size == item_size && memcmp(back, item, item_size) == 0);
        corm_items_close(&one);
    }
    corm_items_close(&items);
    corm_text_clear(&again);
}

static void try_ranges(const char *text, size_t size) {
    corm_text room = CORM_TEXT_EMPTY;
    corm_range range;
    corm_pair pair;
    const char *part;
    size_t at = 0, part_size;
    bool found = true;
    if (corm_range_parse(text, size, &room, &range) == CORM_OK && !range.empty) {
        must(range.lower_size + range.upper_size <= size);
    }
    while (found && corm_multirange_next(text, size, &at, &part, &part_size, &found) == CORM_OK) {
        must(!found || (part >= text && part + part_size <= text + size && at <= size));
    }
    at = 0;
    found = true;
    while (found && corm_hstore_next(text, size, &at, &room, &pair, &found) == CORM_OK) {
        must(!found || pair.key_size + pair.value_size <= size);
    }
    corm_text_clear(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = corm_alloc(size + (size == 0)); /* of exactly that size, so that a sanitizer sees what is beyond */
    must(text != NULL);
    memcpy(text, data, size);
    try_array(text, size);
    try_ranges(text, size);
    corm_interval interval, again;
    if (corm_interval_parse(text, size, &interval) == CORM_OK) {
        char room[CORM_INTERVAL_MAX];
        size_t printed = corm_interval_format(&interval, room);
        must(printed <= sizeof room && corm_interval_parse(room, printed, &again) == CORM_OK);
        must(again.months == interval.months && again.days == interval.days &&
             again.microseconds == interval.microseconds);
    }
    corm_error_clear();
    corm_free(text);
    return 0;
}
