/*
 * Values that hold others, as PostgreSQL writes them in text: arrays "{1,NULL,{"a,b"}}", ranges "[1,10)", multiranges
 * "{[1,2),[5,)}". Reading checks each byte and needs no recursion; whoever builds something nested bounds the depth.
 */
#ifndef CORM_TYPE_ITEMS_H
#define CORM_TYPE_ITEMS_H

#include "base/text.h"

enum { CORM_ARRAY_DEPTH = 6 /* dimensions that the server's arrays may have */ };

typedef enum corm_item_token {
    CORM_ITEM_OPEN,
    CORM_ITEM_CLOSE,
    CORM_ITEM_NULL,
    CORM_ITEM_TEXT,
    CORM_ITEM_END
} corm_item_token;

typedef struct corm_items {
    const char *at, *end;
    int depth;
    bool begun;     /* something stands before: a comma or a brace has to follow */
    corm_text room; /* of the present item, without its quotes */
} corm_items;

/* Begin to read an array; bounds that stand before it ("[0:1]={...}") are passed over. */
void corm_items_open(const char *text, size_t size, corm_items *out);
/* The next token; of TEXT, *item and *size until the next call. CORM_VALUE_ERROR: it is no array. */
corm_status corm_items_next(corm_items *items, corm_item_token *token, const char **item, size_t *size);
void corm_items_close(corm_items *items);
/* Append an item's text, quoted where it has to be. */
void corm_items_append(corm_text *out, const char *item, size_t size);

/* The next pair of an hstore's text, from *at on (begin with 0), in `room`, which is emptied first; false: there is none.
 * value NULL: NULL. CORM_VALUE_ERROR: it is none. */
typedef struct corm_pair {
    const char *key, *value;
    size_t key_size, value_size;
} corm_pair;
corm_status corm_hstore_next(const char *text, size_t size, size_t *at, corm_text *room, corm_pair *out, bool *found);

typedef struct corm_range {
    bool empty, lower_inclusive, upper_inclusive;
    bool has_lower, has_upper; /* else it has no end there */
    size_t lower_size, upper_size;
    const char *lower, *upper; /* in room */
} corm_range;

/* Read a range; what it points to stands in `room`, which the caller clears. CORM_VALUE_ERROR: it is none. */
corm_status corm_range_parse(const char *text, size_t size, corm_text *room, corm_range *out);
/* The next range of a multirange, from *at on (begin with 0); false: there is none. CORM_VALUE_ERROR: it is none. */
corm_status corm_multirange_next(const char *text, size_t size, size_t *at, const char **range, size_t *range_size,
                                 bool *found);
/* Append an end of a range, quoted where it has to be. */
void corm_range_append(corm_text *out, const char *end, size_t size);

#endif
