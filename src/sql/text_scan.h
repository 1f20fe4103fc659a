/* Taking textual SQL apart: plain pieces and `:name` places. Shared with the compiler. */
#ifndef CORM_SQL_TEXT_SCAN_H
#define CORM_SQL_TEXT_SCAN_H

#include <cormorant/common.h>

typedef struct corm_text_piece {
    const char *start;
    size_t size;
    bool is_parameter; /* start and size are the name, without the colon */
} corm_text_piece;

/* The piece at *position, which is moved behind it; false at the end. */
bool corm_text_scan(const char *text, size_t size, size_t *position, corm_text_piece *piece);

#endif
